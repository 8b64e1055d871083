/** A state as a kernel developer thinks of it: pages with their holders, page-table entries, locks, wait queues, and the rest. */
import type { Column, Program } from '../../../src/ir/program.ts'
import type { VectorShape } from '../../../src/ir/state.ts'
import { pageViews } from '../../../src/report/pages.ts'
import type { PlayRun } from '../../../src/report/play.ts'
import { valueText } from '../../../src/report/values.ts'

/** One line of a state: a name, its value, and what it was before. */
export interface Line {
  readonly name: string
  readonly value: string
  readonly before: string
  readonly changed: boolean
}

export interface PageCard {
  readonly name: string
  readonly type: string
  readonly count: Line
  /** The count at which it is free, where the model tells. */
  readonly freeAt: number | undefined
  readonly state: 'free' | 'held' | 'frozen' | 'kept'
  /** Why it is called so, in words. */
  readonly stateText: string
  readonly holders: readonly Line[]
  readonly fields: readonly Line[]
  readonly changed: boolean
}

export interface StateView {
  readonly pages: readonly PageCard[]
  readonly entries: readonly Line[]
  readonly locks: readonly Line[]
  readonly queues: readonly Line[]
  readonly others: readonly Line[]
}

/** Where each cell of a program belongs. Made once a run. */
export interface StateLayout {
  readonly run: PlayRun
  readonly shape: VectorShape
  readonly threads: readonly string[]
  readonly cells: readonly Cell[]
  readonly pages: ReturnType<typeof pageViews>
}

interface Cell {
  readonly at: number
  readonly name: string
  readonly column: Column
  readonly part: 'page' | 'entry' | 'lock' | 'queue' | 'other' | 'hidden'
}

const LOCK = /(^|\.)(owner|place|readers)(\[|$)/
const QUEUE = /(^|\.)waiting(\[|$)/

export function layoutOf(run: PlayRun, shape: VectorShape, threads: readonly string[]): StateLayout {
  const { program } = run
  const cells = program.columns.flatMap((column, c) =>
    column.cells.map((name, i): Cell => ({ at: shape.columnBase[c] + i, name, column, part: partOf(program, column, c) })),
  )
  return { run, shape, threads, cells, pages: pageViews(program, shape) }
}

function partOf(program: Program, column: Column, id: number): Cell['part'] {
  if (program.properties.eventually.some(({ seen }) => seen === id)) return 'hidden'
  if (column.struct === 'Page') return 'page'
  if (column.ghost) return 'hidden'
  if (column.word !== undefined) return 'entry'
  if (QUEUE.test(column.field)) return 'queue'
  if (LOCK.test(column.field)) return 'lock'
  return 'other'
}

/** The view of a state, with what differs from the state before it. */
export function viewOfState(layout: StateLayout, state: Int32Array, before: Int32Array): StateView {
  const line = (cell: Cell, name = cell.name): Line => {
    const text = (from: Int32Array): string => valueText(cell.column.display, from[cell.at], layout.threads)
    return { name, value: text(state), before: text(before), changed: state[cell.at] !== before[cell.at] }
  }
  const part = (wanted: Cell['part']): Cell[] => layout.cells.filter((cell) => cell.part === wanted)
  return {
    pages: layout.pages.map((page) => pageCard(layout, page, state, before, line)),
    entries: words(part('entry'), state, before, layout.threads),
    locks: locks(part('lock'), state, before, layout.threads),
    queues: queues(part('queue'), state, before, layout.threads),
    others: part('other').map((cell) => line(cell)),
  }
}

function pageCard(
  { run, cells }: StateLayout,
  page: StateLayout['pages'][number],
  state: Int32Array,
  before: Int32Array,
  line: (cell: Cell, name?: string) => Line,
): PageCard {
  const own = cells.filter(({ part, name }) => part === 'page' && name.startsWith(`${page.name}.`))
  const short = (cell: Cell): string => cell.name.slice(page.name.length + 1)
  const standing = run.standing.filter(({ struct, cell }) => struct === 'Page' && cell.startsWith(`${page.name}.`))
  const typeCell = own.find((cell) => short(cell) === 'type')
  const type = typeCell ? line(typeCell).value : String(standing.find(({ cell }) => cell === `${page.name}.type`)?.value ?? 'page')
  const holders = own.filter((cell) => short(cell).startsWith('held.')).map((cell) => line(cell, holderName(short(cell).slice('held.'.length))))
  const countCell = own.find(({ at }) => at === page.count.at) as Cell
  const count = line(countCell, '_refcount')
  const frozenCell = own.find((cell) => short(cell) === 'frozen')
  const frozen = frozenCell !== undefined && state[frozenCell.at] !== 0
  const fields = own
    .filter((cell) => cell !== countCell && cell !== typeCell && cell !== frozenCell && !short(cell).startsWith('held.'))
    .map((cell) => line(cell, short(cell)))
  const freeAt = run.freeAt[type]
  const held = own.filter((cell) => short(cell).startsWith('held.') && state[cell.at] !== 0)
  const onlyBase = held.every((cell) => short(cell) === 'held.base')
  const atFree = freeAt !== undefined && Number(count.value) === freeAt
  const [name, stateText]: [PageCard['state'], string] = frozen
    ? ['frozen', 'its count is frozen']
    : onlyBase
      ? freeAt === undefined || atFree
        ? ['free', freeAt === undefined ? 'nobody holds it' : `free: the count is ${freeAt}`]
        : ['kept', `nobody holds it, but it is free only at ${freeAt}`]
      : atFree
        ? ['held', `the count says free (${freeAt}), but it is held`]
        : ['held', freeAt === undefined ? 'held' : `held; free at ${freeAt}`]
  return {
    name: page.name,
    type,
    count,
    freeAt,
    state: name,
    stateText,
    holders,
    fields,
    changed: own.some((cell) => state[cell.at] !== before[cell.at]),
  }
}

/** What the model's ledger calls its holders, in words. */
const HOLDERS: Readonly<Record<string, string>> = {
  base: 'base reference',
  alloc: 'allocation',
  pte: 'page-table entry',
  gup: 'GUP',
  pin: 'GUP pin',
  migrate: 'migration',
  fault: 'fault',
  speculative: 'speculative get',
  insert: 'insertion',
  lru: 'LRU',
  cache: 'page cache',
}

export function holderName(name: string): string {
  return HOLDERS[name] ?? name.replaceAll('_', ' ')
}

/** Words that hold several values are one line: `vma.pte: present → page, write`. */
function words(cells: readonly Cell[], state: Int32Array, before: Int32Array, threads: readonly string[]): Line[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const name = cell.name.slice(0, cell.name.lastIndexOf('.'))
    groups.set(name, [...(groups.get(name) ?? []), cell])
  }
  return [...groups].map(([name, group]) => {
    const text = (from: Int32Array): string => wordText(group, from, threads)
    return { name, value: text(state), before: text(before), changed: group.some(({ at }) => state[at] !== before[at]) }
  })
}

function wordText(group: readonly Cell[], state: Int32Array, threads: readonly string[]): string {
  const kind = group.find(({ column }) => column.display.kind === 'enum')
  const parts = group
    .filter((cell) => cell !== kind)
    .flatMap((cell) => {
      const value = valueText(cell.column.display, state[cell.at], threads)
      const field = cell.name.slice(cell.name.lastIndexOf('.') + 1)
      if (cell.column.display.kind === 'bool') return state[cell.at] === 0 ? [] : [field]
      if (cell.column.display.kind === 'ref') return state[cell.at] === 0 ? [] : [value]
      return state[cell.at] === 0 ? [] : [`${field} ${value}`]
    })
  const head = kind ? valueText(kind.column.display, state[kind.at], threads) : ''
  return [head, ...parts].filter((part) => part !== '').join(' · ') || 'none'
}

/** A lock with its owner, its readers and who queues for it. */
function locks(cells: readonly Cell[], state: Int32Array, before: Int32Array, threads: readonly string[]): Line[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const name = cell.name.replace(/\.?(owner|place|readers)(\[.*\])?$/, '')
    groups.set(name, [...(groups.get(name) ?? []), cell])
  }
  return [...groups].map(([name, group]) => {
    const text = (from: Int32Array): string => {
      const owner = group.find(({ column }) => column.display.kind === 'thread')
      const threadOf = (cell: Cell): string => /\[([^\]]*)\]$/.exec(cell.name)?.[1] ?? ''
      const on = (cell: Cell): boolean => from[cell.at] !== 0
      const readers = group.filter((cell) => /\breaders\b/.test(cell.name) && on(cell)).map(threadOf)
      const queue = group.filter((cell) => /\bplace\b/.test(cell.name) && on(cell)).sort((a, b) => from[a.at] - from[b.at])
      const waiting = queue.map(threadOf).filter((thread) => !owner || valueText(owner.column.display, from[owner.at], threads) !== thread)
      const held = owner && on(owner) ? `held by ${valueText(owner.column.display, from[owner.at], threads)}` : ''
      const parts = [held, readers.length > 0 ? `read by ${readers.join(', ')}` : '', waiting.length > 0 ? `queue: ${waiting.join(', ')}` : '']
      return parts.filter((part) => part !== '').join('; ') || 'free'
    }
    return { name, value: text(state), before: text(before), changed: text(state) !== text(before) }
  })
}

/** A wait queue with its sleepers. */
function queues(cells: readonly Cell[], state: Int32Array, before: Int32Array, threads: readonly string[]): Line[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const name = cell.name.replace(/\.?waiting(\[.*\])?$/, '')
    groups.set(name, [...(groups.get(name) ?? []), cell])
  }
  return [...groups].map(([name, group]) => {
    const text = (from: Int32Array): string =>
      group
        .filter(({ at }) => from[at] !== 0)
        .map((cell) => {
          const thread = /\[([^\]]*)\]$/.exec(cell.name)?.[1] ?? ''
          const value = valueText(cell.column.display, from[cell.at], threads)
          return cell.column.display.kind === 'bool' ? thread : `${thread} (${value})`
        })
        .join(', ') || 'nobody'
    return { name, value: text(state), before: text(before), changed: text(state) !== text(before) }
  })
}
