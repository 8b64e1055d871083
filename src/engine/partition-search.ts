/** One worker's share of a search: the states whose hash selects it. */
import type { Program } from '../ir/program.ts'
import { instantiate } from './compiled.ts'
import { type Exchange, FINISH, GO_ON, NEXT_LEVEL } from './exchange.ts'
import { Findings } from './findings.ts'
import { FingerprintStore } from './fingerprint-store.ts'
import { ownerOf } from './hash.ts'
import { putInitial } from './initial.ts'
import { type Code, Runner } from './runner.ts'
import { SearchMemory } from './search-memory.ts'
import { StateStore, type Store, takeIn } from './store.ts'

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
  readonly taken?: readonly Uint8Array[]
}

/** Takes part in a search until all partitions are done or told to stop. Blocks its thread at every meeting. */
export function searchPartition(task: PartitionTask, exchange: Exchange): PartitionResult {
  const { program, code, me } = task
  const { layout } = code
  const { jobs, boxWords } = exchange
  const { record, words, batch, fanOut } = code.workspace
  const room = batch * fanOut * record
  // After the workspace: where each worker's share of a batch ends, the shares, what another worker has sent, and the store.
  const ends = words
  const shares = ends + jobs
  const inbox = shares + jobs * room
  const header = inbox + boxWords
  const memory = SearchMemory.ofSize(header)
  const runner = new Runner(code, memory)
  const own = runner.memory
  const exact = task.fingerprint ? undefined : new StateStore(memory, header, layout.words, code.store)
  const store: Store = exact ?? new FingerprintStore(memory, layout.words)
  const divide = instantiate(code.store, memory).divide
  const findings = new Findings(program)
  const { workspace } = runner
  const outboxes = Array.from({ length: jobs }, (_, to) => exchange.box(me, to))
  const levels: number[] = [0]
  let transitions = 0

  putInitial(program, runner)
  if (ownerOf(own[workspace.out + layout.words], jobs) === me) store.insert(workspace.out, workspace.out + record, 0)

  function keep(start: number, end: number, old: number): void {
    if (!takeIn(store, start, end, old)) exchange.stop()
  }

  /** Keeps own records, hands on the others. */
  function distribute(end: number): void {
    for (let to = 0; to < jobs; to++) own[ends + to] = shares + to * room
    divide(workspace.out, end, jobs, ends)
    for (let to = 0; to < jobs; to++) {
      const share = shares + to * room
      if (to === me) keep(share, own[ends + to], levels[levels.length - 1])
      else {
        const box = outboxes[to]
        box.set(own.subarray(share, own[ends + to]), 1 + box[0])
        box[0] += own[ends + to] - share
      }
    }
  }

  for (let level = 0; ; level++) {
    let from = levels[level]
    const to = store.count
    levels.push(to)
    let round: number
    do {
      while (from < to && outboxes.every((box) => box.length - 1 - box[0] >= room)) {
        const count = Math.min(workspace.batch, to - from)
        store.copy(from, count, own, workspace.source)
        const end = runner.run(count)
        if (runner.hungCount > 0) findings.noteHangs(runner)
        transitions += (end - workspace.out) / record
        distribute(end)
        from += count
      }
      exchange.rendezvous.meet(() => undefined)
      for (let other = 0; other < jobs; other++) {
        const box = exchange.box(other, me)
        own.set(box.subarray(1, 1 + box[0]), inbox)
        keep(inbox, inbox + box[0], to)
        box[0] = 0
      }
      const bytes = store.bytesWith(room / record + (jobs * boxWords) / record)
      exchange.publish(me, store.count, transitions + runner.fatal, bytes, to - from, store.count - to)
      exchange.publishFlags(me, findings.flags(runner))
      exchange.rendezvous.meet(() => {
        exchange.decision = decide(task, exchange, level)
      })
      round = exchange.decision
    } while (round === GO_ON)
    store.release(to)
    if (round === FINISH) return { store, exact, levels, transitions, ended: runner.fatal, taken: runner.taken }
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
