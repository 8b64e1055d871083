/** The chosen set: safe or not, why, what is missing, and what may land next. */
import { useMemo } from 'preact/hooks'
import { members, sizeOf } from '../../../src/order/lattice.ts'
import { formatRoute } from '../route.ts'
import { type Plan, toggled, wholeOf } from './plan.ts'
import { byMessages, bySituation, type OrderReport, type Reason } from './report.ts'
import { type Sets, SIGN } from './sets.ts'

/** Ways to make a set safe that are named. */
const MOST_WAYS = 4
/** Situations that are named of those that say the same. */
const MOST_SITUATIONS = 3

interface SetPanelProps {
  readonly report: OrderReport
  readonly sets: Sets
  readonly plan: Plan
  readonly onPlan: (plan: Plan) => void
  readonly onChoose: (set: number) => void
}

export function SetPanel({ report, sets, plan, onPlan, onChoose }: SetPanelProps) {
  const chosen = wholeOf(plan)
  const rest = members(sets.full & ~chosen)
  const [here, ...next] = useMemo(() => sets.told([chosen, ...rest.map((i) => chosen | (1 << i))]), [sets, chosen])
  const safeNext = rest.filter((_, i) => next[i].verdict === 'safe')
  const notNext = rest.flatMap((i, at) => (next[at].verdict === 'safe' ? [] : [{ i, told: next[at] }]))
  const groups = sets.groups.filter(({ members: group }) => (group & chosen) === 0 && sets.verdict(chosen | group) === 'safe')
  const reached = sets.reached.has(chosen)
  const missing = useMemo(() => (here.verdict === 'safe' ? [] : sets.missing(chosen)), [sets, chosen])
  const tooMuch = useMemo(() => (here.verdict === 'safe' ? [] : sets.tooMuch(chosen)), [sets, chosen])
  const count = sizeOf(chosen)
  const { allowed } = sets.cut
  const situations = bySituation(here.breaks).length
  return (
    <section class="scroll elements thisset" aria-label="The chosen set" tabIndex={0}>
      <div class={`verdict v-${here.verdict}`} role="status">
        <b class="big">
          {SIGN[here.verdict]} {here.verdict}
        </b>{' '}
        {count === 0
          ? `none of the changes: ${report.from} as it is`
          : count === 1
            ? sets.named(chosen)
            : `${count} changes: ${members(chosen)
                .map((i) => i + 1)
                .join(' ')}`}
        <p>
          {here.verdict === 'safe'
            ? `Nothing fails in ${report.scenarios} situations that does not fail on ${report.from}${allowed.length > 0 ? ', but for what all together introduce' : ''}.`
            : here.verdict === 'unsafe'
              ? `It breaks what works on ${report.from}, in ${situations === 1 ? 'one situation' : `${situations} situations`}${here.complete ? '' : ' at least: one failure decides, so not every situation was searched'}.`
              : 'A limit was reached before it was decided.'}
          {here.repairs > 0 && ` It repairs ${here.repairs} ${here.repairs === 1 ? 'failure' : 'failures'}.`}
        </p>
        {here.verdict === 'safe' && !reached && <p>But no way leads here in which every step is safe.</p>}
      </div>
      {here.breaks.length > 0 && <Breaks report={report} sets={sets} chosen={chosen} breaks={here.breaks} />}
      {here.verdict !== 'safe' && (
        <div>
          <h2>What is missing</h2>
          {missing.length === 0 && <p class="faint">Nothing that could be added makes it safe.</p>}
          {missing.slice(0, MOST_WAYS).map((more) => (
            <button type="button" key={more} class="setbutton" onClick={() => onPlan([...plan, more])}>
              + add {sets.named(more)}
            </button>
          ))}
          {missing.length > MOST_WAYS && <p class="faint">and {missing.length - MOST_WAYS} other ways</p>}
          {tooMuch.slice(0, MOST_WAYS).map((less) => (
            <button type="button" key={less} class="setbutton" onClick={() => onPlan(toggled(plan, less))}>
              − or leave out {sets.named(less)}
            </button>
          ))}
        </div>
      )}
      {rest.length > 0 && (
        <div>
          <h2>May land next</h2>
          {safeNext.length + groups.length === 0 && <p class="faint">Nothing: no single change and no group leads from here to a safe set.</p>}
          {safeNext.map((i) => (
            <button type="button" key={i} class="setbutton" onClick={() => onPlan([...plan, 1 << i])}>
              ✓ {i + 1} {sets.ids[i]}
            </button>
          ))}
          {groups.map(({ members: group }) => (
            <button type="button" key={group} class="setbutton" onClick={() => onPlan([...plan, group])}>
              ✓ together {sets.named(group)}
            </button>
          ))}
          {notNext.length > 0 && (
            <details>
              <summary>
                not next: {notNext.map(({ i }) => i + 1).join(' ')} <span class="faint">and why</span>
              </summary>
              <ul class="reasons">
                {notNext.map(({ i, told }) => (
                  <li key={i}>
                    <span class="bad">
                      {SIGN[told.verdict]} {i + 1} {sets.ids[i]}
                    </span>
                    {told.breaks.slice(0, 1).map(({ scenario, kind, message }) => (
                      <small key={scenario}>
                        {kind} in {scenario}: {message}
                      </small>
                    ))}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </div>
      )}
      {sets.groups.length > 0 && (
        <div>
          <h2>Must land together</h2>
          {sets.groups.map(({ members: group, onto }) => (
            <button type="button" key={group} class="setbutton" onClick={() => onChoose(onto | group)}>
              {sets.named(group)} <span class="faint">onto {sets.named(onto)}</span>
            </button>
          ))}
        </div>
      )}
      <p>
        <a href={formatRoute('verdicts', { with: sets.switchesOf(chosen).join(',') })}>the verdicts with these switched on</a>
      </p>
    </section>
  )
}

/** What breaks: situation by situation, to be played; and the way to it, where the answer has one. */
function Breaks({ report, sets, chosen, breaks }: { report: OrderReport; sets: Sets; chosen: number; breaks: readonly Reason[] }) {
  const shown = sets.cut.minimalUnsafe.find((one) => sets.setOf(one.set) === chosen)
  const plus = sets.switchesOf(chosen).join(',')
  return (
    <div>
      <h2>It breaks</h2>
      <ul class="reasons">
        {byMessages(breaks).map(({ kinds, messages, scenarios }) => (
          <li key={scenarios[0]}>
            <span class="bad">✖ {kinds}</span> in{' '}
            {scenarios.slice(0, MOST_SITUATIONS).map((scenario, i) => (
              <span key={scenario}>
                {i > 0 ? ', ' : ''}
                <a href={formatRoute('play', { scenario, kernel: report.from, with: plus })}>{scenario}</a>
              </span>
            ))}
            {scenarios.length > MOST_SITUATIONS && (
              <details>
                <summary class="faint">and {scenarios.length - MOST_SITUATIONS} more</summary>
                {scenarios.slice(MOST_SITUATIONS).map((scenario) => (
                  <a key={scenario} class="more" href={formatRoute('play', { scenario, kernel: report.from, with: plus })}>
                    {scenario}
                  </a>
                ))}
              </details>
            )}
            <small>{messages.join(' ')}</small>
          </li>
        ))}
      </ul>
      {shown?.steps && shown.steps.length > 0 && (
        <details>
          <summary>
            the way there in {shown.scenario}, {shown.steps.length} steps
          </summary>
          <ol class="way">
            {shown.steps.map((step, i) => (
              <li key={`${step.thread}${i}`}>
                <b>{step.thread}</b> {step.function} <code>{step.text}</code>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  )
}
