/** The switches: each change, or each of its parts, on or off, with what the next flick of it would lead to. */
import { useMemo } from 'preact/hooks'
import { type Plan, toggled, wholeOf } from './plan.ts'
import { type Sets, SIGN } from './sets.ts'

export function ChangesPanel({ from, sets, plan, onPlan }: { from: string; sets: Sets; plan: Plan; onPlan: (plan: Plan) => void }) {
  const { elements } = sets.cut
  const chosen = wholeOf(plan)
  const acts = useMemo(() => elements.map((_, i) => sets.actsIn(i)), [sets])
  const changes = [...new Set(elements.map(({ change }) => change))]
  return (
    <section class="scroll elements" aria-label="Changes" tabIndex={0}>
      <h2>Changes on {from}</h2>
      <ol>
        {changes.map((change) => {
          const parts = elements.flatMap((element, i) => (element.change === change ? [i] : []))
          const all = parts.reduce((bits, i) => bits | (1 << i), 0)
          return (
            <li key={change}>
              {parts.length > 1 && (
                <button type="button" class="whole" aria-pressed={(chosen & all) === all} onClick={() => onPlan(toggled(plan, all))}>
                  {change}: all {parts.length} parts
                </button>
              )}
              {parts.map((i) => {
                const on = (chosen & (1 << i)) !== 0
                const then = sets.verdict(chosen ^ (1 << i))
                const { id, about, landed } = elements[i]
                return (
                  <label key={id} class={parts.length > 1 ? 'part' : ''}>
                    <input type="checkbox" role="switch" aria-checked={on} checked={on} onChange={() => onPlan(toggled(plan, 1 << i))} />
                    <span>
                      <b>
                        {i + 1} {id}
                      </b>{' '}
                      <span class={`then v-${then}`}>
                        {on ? 'if off: ' : 'if on: '}
                        <b>{`${SIGN[then]} ${then}`}</b>
                      </span>
                      <small class="about" title={about}>
                        {about}
                      </small>
                      <small>
                        {landed ? `in ${landed.since}` : 'not in Linux'} · acts in {acts[i]} {acts[i] === 1 ? 'situation' : 'situations'} ·{' '}
                        {(sets.free & (1 << i)) !== 0
                          ? 'may land at any time'
                          : sets.verdict(1 << i) === 'safe'
                            ? 'safe alone'
                            : `${sets.verdict(1 << i)} alone`}
                      </small>
                    </span>
                  </label>
                )
              })}
            </li>
          )
        })}
      </ol>
    </section>
  )
}
