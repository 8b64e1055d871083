/** One worker's share of a search: the states whose hash selects it. */
import type { Program } from '../ir/program.ts'
import { type Exchange, FINISH, GO_ON, NEXT_LEVEL } from './exchange.ts'
import { Findings } from './findings.ts'
import { FingerprintStore } from './fingerprint-store.ts'
import { hashWords, ownerOf } from './hash.ts'
import { initialVector } from './initial.ts'
import { pack } from './layout.ts'
import { type Code, Runner } from './runner.ts'
import { StateStore, type Store, takeIn } from './store.ts'
import { FAILED, PROGRESS } from './workspace.ts'

export interface PartitionTask {
  readonly program: Program
  readonly code: Code
  readonly me: number
  readonly maxStates: number
  readonly maxMemory: number
  readonly stopAtRace: boolean
  readonly fingerprint: boolean
  readonly lastLevel: number
}

export interface PartitionResult {
  readonly store: Store
  /** The same, if it holds states. */
  readonly exact: StateStore | undefined
  /** Number of the first state of each level, and the number after the last one expanded. */
  readonly levels: readonly number[]
  readonly transitions: number
  readonly ended: number
}

/** Takes part in a search until all partitions are done or told to stop. Blocks its thread at every meeting. */
export function searchPartition(task: PartitionTask, exchange: Exchange): PartitionResult {
  const { program, code, me } = task
  const { layout } = code
  const runner = new Runner(code)
  const { memory, workspace } = runner
  const exact = task.fingerprint ? undefined : new StateStore(layout.words)
  const store: Store = exact ?? new FingerprintStore(layout.words)
  const findings = new Findings(program)
  const { jobs } = exchange
  const forward = PROGRESS | FAILED
  const { record } = workspace
  const room = workspace.batch * workspace.fanOut * record
  const outboxes = Array.from({ length: jobs }, (_, to) => exchange.box(me, to))
  const levels: number[] = [0]
  let transitions = 0

  const first = new Int32Array(record)
  pack(layout, initialVector(program), first)
  first[layout.words] = hashWords(first, 0, layout.words)
  if (ownerOf(first[layout.words], jobs) === me) store.insert(first, 0, record, 0, forward)

  function keep(records: Int32Array, start: number, end: number, old: number): void {
    if (!takeIn(store, records, start, end, old, forward)) exchange.stop()
  }

  /** Keeps own records, hands on the others. */
  function distribute(end: number): void {
    let own = workspace.out
    for (let at = workspace.out; at < end; at += record) {
      const owner = ownerOf(memory[at + layout.words], jobs)
      if (owner === me) {
        if (own !== at) for (let w = 0; w < record; w++) memory[own + w] = memory[at + w]
        own += record
      } else {
        const box = outboxes[owner]
        const used = box[0]
        for (let w = 0; w < record; w++) box[1 + used + w] = memory[at + w]
        box[0] = used + record
      }
    }
    keep(memory, workspace.out, own, levels[levels.length - 1])
  }

  for (let level = 0; ; level++) {
    let from = levels[level]
    const to = store.count
    levels.push(to)
    let round: number
    do {
      while (from < to && outboxes.every((box) => box.length - 1 - box[0] >= room)) {
        const count = Math.min(workspace.batch, to - from)
        store.copy(from, count, memory, workspace.source)
        const end = runner.run(count)
        if (runner.hungCount > 0) findings.noteHangs(runner)
        transitions += (end - workspace.out) / record
        distribute(end)
        from += count
      }
      exchange.rendezvous.meet(() => undefined)
      for (let other = 0; other < jobs; other++) {
        const box = exchange.box(other, me)
        keep(box, 1, 1 + box[0], to)
        box[0] = 0
      }
      const bytes = store.bytesWith(room / record + (jobs * (outboxes[0].length - 1)) / record)
      exchange.publish(me, store.count, transitions + runner.fatal, bytes, to - from, store.count - to)
      exchange.publishFlags(me, findings.flags(runner))
      exchange.rendezvous.meet(() => {
        exchange.decision = decide(task, exchange, level)
      })
      round = exchange.decision
    } while (round === GO_ON)
    store.release(to)
    if (round === FINISH) return { store, exact, levels, transitions, ended: runner.fatal }
  }
}

/** What all do next; called by the last one at a meeting. */
function decide(task: PartitionTask, exchange: Exchange, level: number): number {
  const over = exchange.states > task.maxStates || exchange.bytes > task.maxMemory
  if (exchange.stopped || over) {
    exchange.noteFailures(level)
    return FINISH
  }
  if (exchange.left > 0) return GO_ON
  exchange.noteFailures(level)
  exchange.level = level + 1
  const raced = task.stopAtRace && task.program.checks.some((check, c) => check.kind === 'race' && exchange.failedAt[c] !== undefined)
  return raced || exchange.fresh === 0 || level === task.lastLevel ? FINISH : NEXT_LEVEL
}
