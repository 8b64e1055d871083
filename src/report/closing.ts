/** What stands below a trace: what failed, where, who waits for whom, where to delay a real kernel, and how to see it again. */
import { boundsLine } from './bounds.ts'
import type { DescribedTrace } from './describe.ts'
import type { Palette } from './palette.ts'
import type { Run } from './run.ts'
import type { Source } from './source.ts'
import { turnsOf } from './turns.ts'
import type { DescribedWait } from './waits.ts'
import { wrap } from './wrap.ts'

const LABEL = 10
/** More frames than this say little about a failure. */
const FRAMES = 6

/** One block of the closing: a label in the margin and its lines. */
interface Block {
  readonly label: string
  readonly lines: readonly { readonly text: string; readonly style: keyof Palette }[]
}

/** Gives the closing lines, painted. */
export function closing(run: Run, trace: DescribedTrace, options: { width: number; command: string; id: string }, paint: Palette): string[] {
  const room = options.width - LABEL
  const plain = (lines: readonly string[], style: keyof Palette = 'plain'): Block['lines'] => lines.map((text) => ({ text, style }))
  const { kind, name } = trace.check
  const failed = kind === name ? kind : `${kind}: ${name}`
  const circle = cycleOfWaits(trace)
  const blocks: Block[] = [
    { label: 'failed', lines: [...plain(wrap(failed, room, 2), 'bad'), ...plain(wrap(trace.check.message, room))] },
    ...(trace.hang.length > 0 ? [{ label: 'waiting', lines: plain(trace.hang.flatMap((wait) => waitLines(wait, room))) }] : []),
    ...(circle ? [{ label: 'cycle', lines: plain(wrap(circle, room)) }] : []),
    { label: trace.hang.length > 0 ? 'last' : 'at', lines: plain(failingPlace(trace, room)) },
    { label: 'delay', lines: plain(delayLines(trace, room)) },
    { label: 'bounds', lines: plain(wrap(boundsLine(run), room), 'faint') },
    // Commands are never broken: they are there to be copied.
    { label: 'again', lines: plain([options.command], 'name') },
    { label: 'id', lines: plain([options.id]) },
  ]
  return blocks.flatMap(({ label, lines }) =>
    lines.map(({ text, style }, i) => paint.faint((i === 0 ? label : '').padEnd(LABEL)).replace(/^ +$/, ' '.repeat(LABEL)) + paint[style](text)),
  )
}

function failingPlace(trace: DescribedTrace, room: number): string[] {
  const last = trace.steps.at(-1)
  if (!last) return ['the initial state']
  const at = last.moments.find(({ violations }) => violations.includes(trace.check))?.at ?? last.at
  const lead = trace.cycleFrom === undefined ? `step ${trace.steps.length}` : `steps ${trace.cycleFrom + 1} to ${trace.steps.length}, repeated; the last one`
  return [...wrap(`${lead}, ${last.threadName}:`, room), ...stackLines(at, room)]
}

/** The call stack, innermost first, one frame a line, files aligned. */
function stackLines(at: Source, room: number): string[] {
  const frames = at.stack.slice(0, FRAMES)
  const column = Math.max(...frames.map((frame) => frame.function.length)) + 2
  const lines = frames.flatMap((frame) => wrap(`${frame.function.padEnd(column)}${frame.file}:${frame.line}`, room - 2, 2))
  const more = at.stack.length - frames.length
  return [...lines, ...(more > 0 ? [`… ${more} more`] : [])].map((line) => `  ${line}`)
}

/** As a hung task is reported: who, on what, why it will not go on, and its stack. */
function waitLines({ thread, what, on, condition, at }: DescribedWait, room: number): string[] {
  const lead = condition === undefined ? 'is blocked in' : 'sleeps in'
  return [...wrap(`${thread} ${lead} ${what}`, room, 2), ...wrap(whyForEver(on, condition), room - 2, 2).map(pad), ...stackLines(at, room)]
}

function whyForEver(on: string | undefined, condition: boolean | undefined): string {
  if (condition === true) return 'what it waits for holds, but nobody is left to wake it'
  if (condition === false) return `what it waits for does not hold, and ${on ? `only ${on} could make it hold` : 'nobody is left to make it hold'}`
  return on ? `it cannot go on before ${on} does` : 'nobody is left to let it go on'
}

function pad(line: string): string {
  return `  ${line}`
}

/** `a → b → a`, if the waits close a circle. */
function cycleOfWaits({ hang }: DescribedTrace): string {
  for (const start of hang) {
    const path = [start.thread]
    for (let at = start; at.on !== undefined; ) {
      const next = hang.find(({ thread }) => thread === at.on)
      if (!next || path.length > hang.length) break
      path.push(next.thread)
      if (next === start) return path.join(' waits for ')
      at = next
    }
  }
  return ''
}

/** The places where a thread could have gone on and did not: held up there, a real kernel runs into the same interleaving. */
function delayLines(trace: DescribedTrace, room: number): string[] {
  const delayed = turnsOf(trace).filter(({ ends }) => ends === 'preempted')
  if (delayed.length === 0) return wrap('none needed: each thread runs until it ends or has to wait', room)
  return [
    ...wrap(`in a real kernel, ${delayed.length === 1 ? 'a delay here widens' : 'delays here widen'} the race:`, room),
    ...delayed.flatMap(({ last, lastNumber }) => {
      const at = last.moments.at(-1)?.at ?? last.at
      const first = `${last.threadName}, step ${lastNumber}: after ${at.function} (${at.file}:${at.line}): ${at.text}`
      return wrap(first, room - 2, 2, 3).map(pad)
    }),
  ]
}
