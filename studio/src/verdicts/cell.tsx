/** One verdict: a scenario on a kernel. */
import type { RunSummary } from '../../../src/report/play.ts'
import { formatRoute } from '../route.ts'

export const SIGN: Record<RunSummary['verdict'], string> = { pass: '✓', violation: '✖', vacuous: '∅', inconclusive: '?' }

interface CellProps {
  readonly scenario: string
  readonly kernel: string
  readonly plus: readonly string[]
  readonly minus: readonly string[]
  readonly result: RunSummary | undefined
  readonly failed: string | undefined
  /** It is to be searched, and its turn has not come. */
  readonly waiting: boolean
  readonly live: { readonly states: number; readonly seconds: number } | undefined
  readonly busy: boolean
  readonly onRun: () => void
}

export function Cell({ scenario, kernel, plus, minus, result, failed, waiting, live, busy, onRun }: CellProps) {
  if (live)
    return (
      <span class="running">
        <b>… searching</b>
        <small>
          {live.states.toLocaleString('en')} states, {live.seconds.toFixed(0)} s
        </small>
      </span>
    )
  if (waiting)
    return (
      <span class="faint">
        waits for its turn
        {result && <small>before: {result.verdict}</small>}
      </span>
    )
  if (failed !== undefined)
    return (
      <button type="button" class="cellrun" disabled={busy} onClick={onRun} title={failed}>
        <b class="bad">! not searched</b>
        <span class="sr">
          run {scenario} on {kernel} again
        </span>
        <small>{failed.split('\n')[0]}</small>
      </button>
    )
  if (!result)
    return (
      <button type="button" class="cellrun faint" disabled={busy} onClick={onRun} aria-label={`run ${scenario} on ${kernel}`}>
        run
      </button>
    )
  const kinds = [...new Set(result.kinds)]
  return (
    <a href={formatRoute('play', { scenario, kernel, with: plus.join(','), without: minus.join(',') })} title={result.bounds}>
      <b>
        {SIGN[result.verdict]} {result.verdict === 'violation' ? kinds.join(', ') : result.verdict}
      </b>
      <small>
        {result.states.toLocaleString('en')} states · {result.seconds.toFixed(1)} s{result.limit ? ` · ${result.limit}` : ''}
        {result.verdict === 'vacuous' ? ` · never ${result.never.join(', ')}` : ''}
      </small>
    </a>
  )
}
