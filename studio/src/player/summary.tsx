/** What happened, in the words that somebody needs who sees it for the first time: what failed, who did it, who held the page, who waits. */
import { useState } from 'preact/hooks'
import type { Check } from '../../../src/ir/program.ts'
import { shortFile } from '../../../src/report/source.ts'
import { turnsOf } from '../../../src/report/turns.ts'
import { waitingOn } from '../../../src/report/waits.ts'
import { countHistory } from './count-history.ts'
import type { Machine, Path } from './path.ts'
import type { PageCard, StateLayout, StateView } from './view-of-state.ts'

/** Delays named above the lanes, which show them all. */
const MOST_DELAYS = 3
/** Failures on the way that are told: the first ones. */
const MOST_EARLIER = 2
/** Changes of a page's count that are told: the last ones. */
const MOST_CHANGES = 5

interface SummaryProps {
  readonly machine: Machine
  readonly failure: number | undefined
  readonly path: Path
  /** Checks that fail on the way, by the number of the step. */
  readonly failing: ReadonlyMap<number, readonly Check[]>
  /** Steps taken by hand below. */
  readonly own: number
  /** The state at the end of the counterexample. */
  readonly end: StateView
  readonly layout: StateLayout
  readonly onGo: (at: number) => void
  readonly onFailure: (failure: number) => void
}

export function Summary({ machine, failure, path, failing, own, end, layout, onGo, onFailure }: SummaryProps) {
  const [folded, setFolded] = useState(false)
  const { run, threads } = machine
  const found = failure === undefined ? undefined : run.failures[failure]
  const kernel = [run.kernel, ...run.changes].join(' ')
  if (!found) {
    return (
      <header class="summary">
        <h1>
          {run.scenario} <span class="faint">on</span> {kernel}
        </h1>
        <p>{run.about}</p>
        <p>
          <b class={run.verdict === 'pass' ? 'good' : ''}>
            {run.verdict === 'pass' ? '✓ ' : ''}
            {run.verdict}
          </b>
          : {run.bounds}. No counterexample; step through it by hand under “What if”.
        </p>
      </header>
    )
  }
  const check = run.program.checks[found.check]
  const told = path.told
  const last = told.steps.at(-1)
  const at = last?.moments.find(({ violations }) => violations.includes(check))?.at ?? last?.at
  const cycle = found.cycleFrom
  const ordinary = end.pages.filter(({ type }) => type === 'ram')
  /** What went wrong on the way before: what failed in the end may only follow from it. */
  const earlier = [...failing].filter(([step, checks]) => step < told.steps.length && !checks.includes(check)).sort(([a], [b]) => a - b)
  const delays = turnsOf(told).filter(({ ends }) => ends === 'preempted')
  const movers = cycle === undefined ? [] : [...new Set(told.steps.slice(cycle).map(({ threadName }) => threadName))]
  /** In a cycle, those who wait for what it never brings. */
  const state = path.states[path.states.length - 1]
  const waiters = threads.flatMap((name, thread) => {
    const on = cycle === undefined || movers.includes(name) ? null : waitingOn(run.program, machine.interpreter.shape, state, thread)
    return on ? [{ name, thread, on }] : []
  })
  const switches = Math.max(0, turnsOf(told).length - 1)
  return (
    <header class="summary">
      <h1>
        <button
          type="button"
          class="fold"
          aria-expanded={!folded}
          aria-label={folded ? 'show what happened' : 'hide what happened'}
          onClick={() => setFolded(!folded)}
        >
          {folded ? '▸' : '▾'}
        </button>
        <span class="badge bad">✖ {check.kind}</span> {run.scenario} <span class="faint">on</span> {kernel}
        {run.failures.length > 1 && (
          <label class="pick">
            <span class="faint">failed checks: {run.failures.length}</span>{' '}
            <select value={String(failure)} onChange={(event) => onFailure(Number(event.currentTarget.value))} aria-label="Failed check">
              {run.failures.map((one, i) => (
                <option key={one.id} value={String(i)}>
                  {run.program.checks[one.check].kind}: {run.program.checks[one.check].name.slice(0, 70)} ({one.steps.length} steps)
                </option>
              ))}
            </select>
          </label>
        )}
      </h1>
      {own > 0 && (
        <p class="note">
          Below: an order of your own, {own} {own === 1 ? 'step' : 'steps'} by hand. What is told here is the counterexample that was found; its links go back
          to it.
        </p>
      )}
      {!folded && (
        <dl class="facts">
          <div>
            <dt>The scenario</dt>
            <dd>{run.about}</dd>
          </div>
          <div>
            <dt>What failed</dt>
            <dd>
              {check.message} {check.name !== check.kind.replace('-', ' ') && check.kind !== 'sleeps' && <code>{check.name}</code>}
            </dd>
          </div>
          {last && at && (
            <div>
              <dt>{told.hang.length > 0 ? 'Last step' : cycle === undefined ? 'Who did it' : 'What repeats'}</dt>
              <dd>
                {cycle === undefined ? (
                  <>
                    <b class={`who t${last.thread % 6}`}>{last.threadName}</b>, in <code>{at.function}()</code> of {shortFile(at.file)}:{at.line},{' '}
                    <button type="button" class="link" onClick={() => onGo(told.steps.length)}>
                      step {told.steps.length}
                    </button>
                    : <code>{at.text}</code>
                    {last.changes.length > 0 && !last.violations.includes(check) && <span> — {last.changes.map(({ said }) => said).join(', ')}</span>}
                  </>
                ) : (
                  <>
                    <button type="button" class="link" onClick={() => onGo(cycle)}>
                      steps {cycle + 1} to {told.steps.length}
                    </button>
                    , for ever: {movers.join(' and ')} {movers.length === 1 ? 'keeps' : 'keep'} moving, and nobody gets done.
                  </>
                )}
              </dd>
            </div>
          )}
          {earlier.length > 0 && (
            <div>
              <dt class="bad">Wrong before</dt>
              <dd>
                {earlier.slice(0, MOST_EARLIER).map(([step, checks], i) => (
                  <span key={step}>
                    {i > 0 ? '; ' : ''}
                    <button type="button" class="link" onClick={() => onGo(step)}>
                      step {step}
                    </button>
                    : {checks[0].message}
                  </span>
                ))}
                {earlier.length > MOST_EARLIER && <span class="faint"> and {earlier.length - MOST_EARLIER} more</span>} What failed in the end may follow from
                it.
              </dd>
            </div>
          )}
          {told.hang.map((wait) => (
            <div key={wait.thread}>
              <dt>Who waits</dt>
              <dd>
                <b class={`who t${threads.indexOf(wait.thread) % 6}`}>{wait.thread}</b> {wait.condition === undefined ? 'is blocked in' : 'sleeps in'}{' '}
                <code>{(wait.at.stack[1] ?? wait.at).function}()</code> of {shortFile((wait.at.stack[1] ?? wait.at).file)}
                {wait.condition === true
                  ? ': what it waits for holds, but nobody is left to wake it.'
                  : wait.on
                    ? `: it needs ${wait.on} to go on first.`
                    : ': nobody is left to make what it waits for come true.'}
              </dd>
            </div>
          ))}
          {waiters.map(({ name, thread, on }) => (
            <div key={name}>
              <dt>Who waits</dt>
              <dd>
                <b class={`who t${thread % 6}`}>{name}</b> in <code>{on}</code>
              </dd>
            </div>
          ))}
          {end.pages.map((page, i) =>
            page.type === 'ram' ? undefined : (
              <div key={page.name}>
                <dt>Who holds {page.name}</dt>
                <dd>
                  {holdersOf(page)}
                  <span class="faint">
                    {' '}
                    — {page.type} page, count {page.count.value}, {page.stateText}
                  </span>
                  <CountChanges changes={countHistory(layout, path, i)} now={page.count.value} threads={threads} onGo={onGo} />
                </dd>
              </div>
            ),
          )}
          {ordinary.length > 0 && (
            <div>
              <dt>Ordinary pages</dt>
              <dd>
                {ordinary.map((page, i) => (
                  <span key={page.name}>
                    {i > 0 ? '; ' : ''}
                    {page.name}: {holdersOf(page)} <span class="faint">(count {page.count.value})</span>
                  </span>
                ))}
              </dd>
            </div>
          )}
          {delays.length > 0 && (
            <div>
              <dt>Delayed</dt>
              <dd>
                {delays.slice(0, MOST_DELAYS).map(({ last: step, lastNumber }, i) => (
                  <span key={lastNumber}>
                    {i > 0 ? '; ' : ''}
                    <b class={`who t${step.thread % 6}`}>{step.threadName}</b> after{' '}
                    <button type="button" class="link" onClick={() => onGo(lastNumber)}>
                      step {lastNumber}
                    </button>{' '}
                    in <code>{step.at.function}()</code>
                  </span>
                ))}
                {delays.length > MOST_DELAYS && <span class="faint">, and {delays.length - MOST_DELAYS} times more</span>}
              </dd>
            </div>
          )}
          <div>
            <dt>The way</dt>
            <dd>
              {told.steps.length} steps, {switches} context {switches === 1 ? 'switch' : 'switches'};{' '}
              {cycle === undefined ? 'the shortest there is' : `${cycle} to get there, ${told.steps.length - cycle} that repeat`}{' '}
              <span class="faint">
                ({run.bounds}) id {found.id}
              </span>
            </dd>
          </div>
          <div>
            <dt>Again</dt>
            <dd>
              <code>{run.command}</code>
            </dd>
          </div>
        </dl>
      )}
    </header>
  )
}

function holdersOf(page: PageCard): string {
  const held = page.holders.filter(({ value }) => value !== '0')
  return held.map(({ name, value }) => `${name}${value === '1' ? '' : ` ×${value}`}`).join(', ') || 'nobody'
}

/** Who raised and lowered a page's count on the way. */
function CountChanges({
  changes,
  now,
  threads,
  onGo,
}: {
  changes: ReturnType<typeof countHistory>
  now: string
  threads: readonly string[]
  onGo: (at: number) => void
}) {
  if (changes.length === 0) return <span class="counts faint">its count is {now} from the first step to the last</span>
  const shown = changes.slice(-MOST_CHANGES)
  const before = changes.length - shown.length
  return (
    <span class="counts">
      <span class="faint">
        its count{before > 0 ? `, after ${before} ${before === 1 ? 'change' : 'changes'} more` : ''}: {shown[0].before}
      </span>
      {shown.map(({ step, thread, after, holders }) => (
        <span key={step}>
          {' → '}
          <b>{after}</b> by <span class={`who t${thread % 6}`}>{threads[thread]}</span>
          {holders.length > 0 && ` (${holders.join(', ')})`}{' '}
          <button type="button" class="link" onClick={() => onGo(step)}>
            step {step}
          </button>
        </span>
      ))}
    </span>
  )
}
