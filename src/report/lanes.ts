/** A counterexample for a person: the threads side by side, what each step changed, and what it comes to. */
import type { CheckVerdict } from '../engine/verdict.ts'
import { kernelName } from './bounds.ts'
import { closing } from './closing.ts'
import { type DescribedTrace, describeTrace } from './describe.ts'
import { type Palette, palette } from './palette.ts'
import { type Row, rowsOf } from './rows.ts'
import type { Run } from './run.ts'
import { stableId } from './stable-id.ts'
import { turnsOf } from './turns.ts'
import { plural, wrap } from './wrap.ts'

/** Room for the step number, left of the lanes. */
const MARGIN = 5
const GAP = ' | '
/** Below this a lane holds no function name and file: one column reads better. */
const NARROWEST = 28
const MOST_LANES = 3

export interface LaneOptions {
  /** ANSI colours; without them the text is fit for a mail. */
  readonly colour: boolean
  readonly width: number
  /** The command that shows this counterexample again. */
  readonly command: string
}

interface Layout {
  readonly lanes: number
  readonly width: number
  readonly laneOf: (thread: number) => number
}

/** Renders one failed check of a run. Lines fit the width, the reproducing command excepted: it is never broken. */
export function renderCounterexample(run: Run, verdict: CheckVerdict, options: LaneOptions): string {
  const { program } = run.exploration
  const { counterexample } = verdict
  const paint = palette(options.colour)
  const check = program.checks[verdict.check]
  if (!counterexample) return `${check.id}: ${verdict.outcome}, no counterexample\n`
  const width = Math.max(40, options.width)
  const trace = describeTrace(program, counterexample)
  const id = stableId({ scenario: program.scenario, kernel: program.kernel, changes: program.changes, check: check.id })
  const layout = layoutFor(trace, width)
  const rows = rowsOf(trace, layout.width, width - MARGIN)
  const title = wrap(`${check.kind} in ${program.scenario} on ${kernelName(run)}`, width, 2).map(paint.bad)
  return [
    ...title,
    ...wrap(summary(trace, run), width, 2).map(paint.faint),
    '',
    ...rows.map((row) => line(row, layout, paint)),
    '',
    ...closing(run, trace, { width, command: options.command, id }, paint),
    '',
  ].join('\n')
}

function summary(trace: DescribedTrace, run: Run): string {
  const switches = Math.max(0, turnsOf(trace).length - 1)
  const kind = trace.cycleFrom === undefined ? 'the shortest there is' : `${trace.cycleFrom} to get there, ${trace.steps.length - trace.cycleFrom} that repeat`
  return `${plural(trace.steps.length, 'step')} at grain ${run.exploration.grain}, ${kind}; ${switches} context switch${switches === 1 ? '' : 'es'}`
}

/** Lanes for the threads that move, from left to right in the scenario's order; one column if there are too many or too little room. */
function layoutFor(trace: DescribedTrace, width: number): Layout {
  const threads = [...new Set(trace.steps.map((step) => step.thread))].sort((a, b) => a - b)
  const room = width - MARGIN
  const lane = Math.floor((room - GAP.length * (threads.length - 1)) / Math.max(1, threads.length))
  if (threads.length < 2 || threads.length > MOST_LANES || lane < NARROWEST) return { lanes: 1, width: room, laneOf: () => 0 }
  return { lanes: threads.length, width: lane, laneOf: (thread) => threads.indexOf(thread) }
}

function line(row: Row, layout: Layout, paint: Palette): string {
  if (row.text === '') return ''
  const margin = (row.margin ?? '').padStart(MARGIN - 2)
  if (row.thread === 'all') return `${margin}  ${paint[row.style](row.text)}`
  const lane = layout.laneOf(row.thread)
  const before = (' '.repeat(layout.width) + GAP).repeat(lane)
  const after = layout.lanes - 1 - lane
  const behind = after === 0 ? '' : ' '.repeat(layout.width - row.text.length) + (GAP + ' '.repeat(layout.width)).repeat(after).trimEnd()
  return `${margin}  ${before}${paint[row.style](row.text)}${behind}`
}
