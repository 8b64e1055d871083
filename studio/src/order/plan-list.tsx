/** The plan, step by step: the verdict after each, and what changes the order. */
import { members, sizeOf } from '../../../src/order/lattice.ts'
import { earlier, joined, type Plan, setsAfter, split } from './plan.ts'
import { type Sets, SIGN } from './sets.ts'

export function PlanList({ sets, plan, onPlan }: { sets: Sets; plan: Plan; onPlan: (plan: Plan) => void }) {
  const after = setsAfter(plan)
  const broken = after.findIndex((set) => sets.verdict(set) !== 'safe')
  return (
    <section class="planlist" aria-label="The plan">
      <h2>
        The plan{' '}
        <span class="faint">
          {plan.length === 0
            ? 'switch on a change: it lands after those that are on'
            : broken < 0
              ? '✓ every step is safe'
              : `✖ step ${broken + 1} is where it breaks`}
        </span>
      </h2>
      <ol>
        {plan.map((step, i) => {
          const verdict = sets.verdict(after[i])
          const name = members(step)
            .map((one) => sets.ids[one])
            .join(' + ')
          return (
            <li key={step} class={`v-${verdict}`}>
              <b>
                {i + 1}. {SIGN[verdict]}
                <span class="sr"> {verdict}</span>
              </b>
              <span class="name">
                {sizeOf(step) > 1 ? 'together ' : ''}
                {sets.named(step)}
              </span>
              <span class="acts">
                <button type="button" disabled={i === 0} onClick={() => onPlan(earlier(plan, i))} title="land it one step earlier">
                  ↑<span class="sr"> {name} one step earlier</span>
                </button>
                <button type="button" disabled={i === plan.length - 1} onClick={() => onPlan(earlier(plan, i + 1))} title="land it one step later">
                  ↓<span class="sr"> {name} one step later</span>
                </button>
                {sizeOf(step) > 1 ? (
                  <button type="button" onClick={() => onPlan(split(plan, i))} title="land them one after the other">
                    apart<span class="sr"> {name}</span>
                  </button>
                ) : (
                  <button type="button" disabled={i === 0} onClick={() => onPlan(joined(plan, i))} title="land it together with the step before">
                    join<span class="sr"> {name} with the step before</span>
                  </button>
                )}
                <button type="button" onClick={() => onPlan(plan.filter((_, other) => other !== i))} title="take it out of the plan">
                  ✕<span class="sr"> take out {name}</span>
                </button>
              </span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
