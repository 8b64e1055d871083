/** The rows of a trace, before they are put into lanes. */
import type { Check } from '../ir/program.ts'
import type { DescribedTrace, Moment } from './describe.ts'
import type { Palette } from './palette.ts'
import { type Source, shortFile } from './source.ts'
import { type Turn, turnsOf } from './turns.ts'
import { plural, wrap } from './wrap.ts'

/** A statement or a name longer than this is cut: the source is there to be looked up. */
const MOST_LINES = 3

/** One line of output: in a thread's lane, or across all of them. */
export interface Row {
  readonly thread: number | 'all'
  /** Left of the lanes: the step's number, `==` for the state of a page, `>>` for where a livelock repeats. */
  readonly margin?: string
  readonly text: string
  readonly style: keyof Palette
}

/** Lays out a trace as rows. `width` is the room in a lane, `fullWidth` that across all of them. */
export function rowsOf(trace: DescribedTrace, width: number, fullWidth: number): Row[] {
  const rows: Row[] = trace.start.flatMap((text) => pageRows(text, fullWidth))
  for (const turn of turnsOf(trace)) {
    if (rows.length > 0) rows.push(blank())
    if (turn.repeats) rows.push({ thread: 'all', margin: '>>', text: 'repeats from here', style: 'bad' })
    rows.push(...turnRows(trace, turn, width, fullWidth))
  }
  if (trace.cycleFrom !== undefined) {
    rows.push(blank(), { thread: 'all', margin: '>>', text: `and again from step ${trace.cycleFrom + 1}, for ever`, style: 'bad' })
  }
  return rows
}

function turnRows(trace: DescribedTrace, turn: Turn, width: number, fullWidth: number): Row[] {
  const { thread } = turn
  const rows: Row[] = []
  const say = (text: string, style: Row['style'], indent = 0, hang = 2, margin?: string): void => {
    wrap(text, width - indent, hang, MOST_LINES).forEach((line, i) => {
      rows.push({ thread, margin: i === 0 ? margin : undefined, text: ' '.repeat(indent) + line, style })
    })
  }
  const name = trace.threads[thread]
  rows.push({ thread, text: `-- ${name} ${'-'.repeat(Math.max(2, width - name.length - 4))}`.slice(0, width), style: 'name' })
  let shown = ''
  for (const item of turn.items) {
    if ('folded' in item) {
      say(`… ${plural(item.folded, 'read')}`, 'faint', 2)
      continue
    }
    const { step } = item
    for (const choice of step.choices) say(choice, step.failed ? 'bad' : 'change', 2)
    step.moments.forEach((moment, i) => {
      const here = header(moment.at, width)
      if (here.join() !== shown)
        here.forEach((line, n) => {
          say(line, 'name', 2 * n)
        })
      shown = here.join()
      const line = `${moment.at.line}: `
      say(line + moment.at.text, 'plain', 2, line.length, i === 0 ? String(item.number) : undefined)
      for (const [text, style] of momentNotes(moment)) say(text, style, 4 + line.length)
      for (const check of moment.violations) say(failureText(moment, check), 'bad', 2, 3)
    })
    rows.push(...step.pages.flatMap((text) => pageRows(text, fullWidth)))
  }
  // The step that fails is the end of the story, whatever else it did.
  if (turn.last.violations.includes(trace.check) && turn.lastNumber === trace.steps.length) return rows
  if (turn.last.ended) say('(ends)', 'faint', 2)
  else if (turn.last.waits) say(`(waits: ${turn.last.waits})`, 'faint', 2)
  else if (turn.ends === 'preempted') say('(delayed here)', 'doubtful', 2)
  return rows
}

/** The check's name is not said twice when the statement already is it. */
function failureText({ at }: Moment, { kind, name }: Check): string {
  return at.text.includes(name) ? `!! ${kind}` : `!! ${kind}: ${name}`
}

/** What was read matters where nothing was written: a value that is changed is shown anyway. */
function momentNotes(moment: Moment): [string, Row['style']][] {
  const reads = moment.changes.length === 0 ? moment.reads : []
  return [
    ...(reads.length > 0 ? [[`reads ${reads.join(', ')}`, 'faint'] as [string, Row['style']]] : []),
    ...moment.changes.map(({ said }): [string, Row['style']] => [said, 'change']),
  ]
}

/**
 * Names a function as the function tracer does: `put_page <-unpin_user_page  mm/swap.ts`.
 * In a narrow lane the caller goes first, then the directory, then the file gets a line of its own.
 */
function header(at: Source, width: number): string[] {
  const caller = at.stack[1] ? ` <-${at.stack[1].function}` : ''
  const file = shortFile(at.file)
  const name = file.slice(file.lastIndexOf('/') + 1)
  const fits = [`${at.function}${caller}  ${file}`, `${at.function}${caller}  ${name}`, `${at.function}  ${file}`, `${at.function}  ${name}`]
  const line = fits.find((text) => text.length <= width)
  return line ? [line] : [at.function, name]
}

function pageRows(text: string, width: number): Row[] {
  return wrap(text, width, 4).map((line, i) => ({ thread: 'all', margin: i === 0 ? '==' : undefined, text: line, style: 'name' }))
}

function blank(): Row {
  return { thread: 'all', text: '', style: 'plain' }
}
