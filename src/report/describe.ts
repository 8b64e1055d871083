/** A counterexample in the words of the model: which function did what, at each step. */
import type { Counterexample, Step } from '../engine/verdict.ts'
import { type Check, type ColumnId, isAccess, type Node, type NodeId, type Program } from '../ir/program.ts'
import { type VectorShape, vectorShape } from '../ir/state.ts'
import { type Effect, effectsOf } from './effects.ts'
import { pageChanged, pageText, pageViews } from './pages.ts'
import { type Source, sourceOf } from './source.ts'
import { cellName, type Shown, shownValue, threadNames, valueText } from './values.ts'
import { type DescribedWait, describeWaits, waitingOn } from './waits.ts'

/** One cell of shared state that a step changed. */
export interface Change {
  /** Full name: `page._refcount`. */
  readonly what: string
  readonly from: Shown
  readonly to: Shown
  /** For people: `_refcount 2 → 1`, `takes mm.ptl`. */
  readonly said: string
}

/** What one source line did within a step: a step at grain `lock` may span several. */
export interface Moment {
  readonly at: Source
  readonly changes: readonly Change[]
  /** For people: `_refcount: 2`. */
  readonly reads: readonly string[]
  /** Checks that failed here. */
  readonly violations: readonly Check[]
}

export interface DescribedStep {
  readonly thread: number
  readonly threadName: string
  /** Where the step's access to shared state is. */
  readonly at: Source
  readonly moments: readonly Moment[]
  readonly changes: readonly Change[]
  /** Full names of the cells that were read: `page._refcount`. */
  readonly readCells: readonly string[]
  /** Changes of state that no kernel has: the ledger, what properties remember. */
  readonly ghost: readonly Change[]
  /** No state of the kernel or of the ledger changed, and nothing else happened that a reader must see. */
  readonly onlyReads: boolean
  /** `choose(2) gives 1`, `injected failure`. */
  readonly choices: readonly string[]
  readonly failed: boolean
  readonly violations: readonly Check[]
  /** The thread ended with this step. */
  readonly ended: boolean
  /** After the step the thread cannot move until this happens: `spin_lock(mm.ptl)`. */
  readonly waits?: string
  /** Pages whose count or holders changed, as they now are. */
  readonly pages: readonly string[]
}

export interface DescribedTrace {
  readonly check: Check
  readonly threads: readonly string[]
  /** The pages before the first step. */
  readonly start: readonly string[]
  readonly steps: readonly DescribedStep[]
  readonly cycleFrom?: number
  /** For a hang: every thread that has not ended. */
  readonly hang: readonly DescribedWait[]
}

/** Tells a counterexample step by step; reads nothing but its arguments. */
export function describeTrace(program: Program, counterexample: Counterexample): DescribedTrace {
  const shape = vectorShape(program)
  const threads = threadNames(program)
  const pages = pageViews(program, shape).filter((page) => page.holders.length > 0)
  const first = counterexample.steps[0]?.from
  let last = first
  const steps = counterexample.steps.map((step) => {
    const described = describeStep(program, shape, threads, step)
    last = described.after
    return { ...described.step, pages: pages.filter((page) => pageChanged(page, step.from, described.after)).map((page) => pageText(page, described.after)) }
  })
  return {
    check: program.checks[counterexample.check],
    threads,
    start: first ? pages.map((page) => pageText(page, first)) : [],
    steps,
    cycleFrom: counterexample.cycleFrom,
    hang: last && counterexample.waiting ? describeWaits(program, shape, threads, last, counterexample.waiting) : [],
  }
}

function describeStep(program: Program, shape: VectorShape, threads: readonly string[], step: Step): { step: Omit<DescribedStep, 'pages'>; after: Int32Array } {
  const { transition } = step
  const nodes = program.threads[transition.thread].nodes
  const { effects, after } = effectsOf(program, shape, step)
  const named = transition.nodes.find((id) => isAccess(nodes[id])) ?? transition.nodes[0]
  const changed = netChanges(program, shape, threads, step.from, after, transition.thread)
  const kernel = changed.filter(({ column }) => !program.columns[column].ghost)
  const ghost = changed.filter(({ column }) => program.columns[column].ghost)
  // What a property remembers (`eventually`) makes no step worth reading.
  const remembered = program.properties.eventually.map(({ seen }) => seen)
  const touched = changed.some(({ column }) => !remembered.includes(column))
  const choices = choicesTaken(nodes, step)
  const ended = transition.nodes.some((id) => nodes[id].op === 'end')
  return {
    after,
    step: {
      thread: transition.thread,
      threadName: threads[transition.thread],
      at: sourceOf(nodes[named].at),
      moments: momentsOf(program, threads, step, named, effects),
      changes: kernel.map(({ change }) => change),
      readCells: effects
        .filter(({ kind, column }) => kind === 'read' && !program.columns[column].ghost)
        .map(({ column, index }) => program.columns[column].cells[index]),
      ghost: ghost.map(({ change }) => change),
      onlyReads: !touched && choices.length === 0 && !ended && transition.violations.length === 0,
      choices,
      failed: transition.failed,
      violations: transition.violations.map((check) => program.checks[check]),
      ended,
      waits: transition.to ? waitingOn(program, shape, after, transition.thread) : undefined,
    },
  }
}

/** What a lock keeps for itself: who has it, who waits. That it was looked at says nothing to a reader. */
const LOCK_STATE = /(^|\.)(owner|place|readers)$/
const QUEUE_PLACE = /(^|\.)place$/

interface CellChange {
  readonly column: ColumnId
  readonly index: number
  readonly change: Change
}

/** What a step changed in all. */
function netChanges(program: Program, shape: VectorShape, threads: readonly string[], from: Int32Array, to: Int32Array, thread: number): CellChange[] {
  return program.columns.flatMap((column, id) =>
    column.cells.flatMap((_, index) => {
      const at = shape.columnBase[id] + index
      return cellChange(program, threads, { column: id, index, before: from[at], value: to[at] }, thread)
    }),
  )
}

/** One cell's change, if it is one, in words. */
function cellChange(program: Program, threads: readonly string[], cell: Pick<Effect, 'column' | 'index' | 'before' | 'value'>, thread: number): CellChange[] {
  const { index, before, value: now } = cell
  const column = program.columns[cell.column]
  const what = column.cells[index]
  if (before === now || (QUEUE_PLACE.test(column.field) && now < before)) return []
  const lock = column.display.kind === 'thread' && /(^|\.)owner$/.test(column.field) ? what.slice(0, -'.owner'.length) : undefined
  const queue = QUEUE_PLACE.test(column.field) ? what.replace(/\.place\[.*$/, '') : undefined
  const arrow = `${cellName(column, index)} ${valueText(column.display, before, threads)} → ${valueText(column.display, now, threads)}`
  const self = thread + 1
  const said = queue
    ? `queues for ${queue}`
    : lock && before === 0 && now === self
      ? `takes ${lock}`
      : lock && before === self && now === 0
        ? `releases ${lock}`
        : arrow
  return [
    { column: cell.column, index, change: { what, from: shownValue(column.display, before, threads), to: shownValue(column.display, now, threads), said } },
  ]
}

/** The access comes first in a step's story only if nothing failed before it: moments keep the order of execution. */
function momentsOf(program: Program, threads: readonly string[], step: Step, named: NodeId, effects: readonly Effect[]): Moment[] {
  const { transition } = step
  const nodes = program.threads[transition.thread].nodes
  const key = (id: NodeId): string => `${nodes[id].at.file}:${nodes[id].at.line}:${nodes[id].at.stack.map((frame) => frame.calledAt).join()}`
  const groups = new Map<string, { at: Source; changes: Change[]; reads: string[]; violations: Check[] }>()
  const open = new Set(transition.violations)
  for (const id of transition.nodes) {
    const node = nodes[id]
    const writes = effects.filter((effect) => effect.node === id && effect.kind === 'write' && !program.columns[effect.column].ghost)
    const changes = writes.flatMap((write) => cellChange(program, threads, write, transition.thread))
    const counts = effects.some((effect) => effect.node === id && effect.kind === 'read' && program.columns[effect.column].display.kind === 'count')
    const fails = node.op === 'check' && open.delete(node.check) ? [program.checks[node.check]] : []
    if (id !== named && key(id) !== key(named) && changes.length === 0 && fails.length === 0 && !counts) continue
    const group = groups.get(key(id)) ?? { at: sourceOf(node.at), changes: [], reads: [], violations: [] }
    groups.set(key(id), group)
    group.changes.push(...changes.map(({ change }) => change))
    group.violations.push(...fails)
    for (const effect of effects) {
      const column = program.columns[effect.column]
      if (effect.node === id && effect.kind === 'read' && !column.ghost && !LOCK_STATE.test(column.field)) {
        group.reads.push(`${cellName(column, effect.index)}: ${valueText(column.display, effect.value, threads)}`)
      }
    }
  }
  return [...groups.values()]
}

function choicesTaken(nodes: readonly Node[], { transition }: Step): string[] {
  const chosen = transition.nodes.map((id) => nodes[id]).filter((node) => node.op === 'choose')
  return chosen.flatMap((node, i) => {
    const value = transition.choices[i]
    if (node.failure) return value === 1 ? [`injected failure: ${node.at.text}`] : []
    return [`${node.at.text} gives ${value}`]
  })
}
