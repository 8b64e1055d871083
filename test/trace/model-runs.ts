/** Runs of the model as the auditor sees them: random schedules, written as tracefs text, read and judged. */

import { freshBook } from '../../src/cli/role-books.ts'
import { random } from '../../src/cli/schedule.ts'
import type { Step } from '../../src/engine/verdict.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Program } from '../../src/ir/program.ts'
import { ftraceText } from '../../src/report/ftrace.ts'
import type { KeptBook } from '../../src/roles/book.ts'
import { Audit, type AuditResult } from '../../src/trace/audit.ts'
import { bookRules } from '../../src/trace/book-rules.ts'
import { memoryFile } from '../../src/trace/byte-file.ts'
import { HeldToModel } from '../../src/trace/held-to-model.ts'
import { readText, recogniseText } from '../../src/trace/text/read.ts'

const books = new Map<string, KeptBook>()

/** The book of a kernel, made once a test process. */
export function book(kernel: string): KeptBook {
  let known = books.get(kernel)
  if (!known) {
    known = freshBook(kernel)
    books.set(kernel, known)
  }
  return known
}

/** One run of at most `limit` steps. */
export function randomRun(program: Program, seed: number, limit = 2000): Step[] {
  const interpreter = interpret(program)
  const schedule = random(seed)
  const steps: Step[] = []
  let state = interpreter.initial()
  while (steps.length < limit) {
    const possible = interpreter.successors(state)
    const transition = possible.length === 0 ? undefined : schedule(possible, steps.length)
    if (!transition) break
    steps.push({ from: state, transition })
    if (transition.to === null) break
    state = transition.to
  }
  return steps
}

export interface Judged {
  readonly result: AuditResult
  readonly held: HeldToModel
}

/** What the auditor says of a text under a kernel; undefined if it holds no event. */
export async function judgeText(text: string, kernel: string, using: KeptBook = book(kernel)): Promise<Judged | undefined> {
  if (!text.includes(': page_ref_')) return undefined
  const file = memoryFile(new TextEncoder().encode(text), 'run.txt')
  const head = recogniseText(file)
  if (!head) throw new Error('the run is not recognised as a trace')
  const held = new HeldToModel(() => using)
  const audit = new Audit({ ranges: [], judges: [held], rules: () => bookRules(using) })
  const summary = await readText(file, head, audit.listener)
  return { result: audit.finish(summary), held }
}

/** The text of one random run. */
export function runText(program: Program, seed: number): string {
  return ftraceText(program, randomRun(program, seed))
}
