/** Lives as sequences of steps, and lives with the same steps as one shape: what two recordings are compared by. */
import { countAfter } from './count.ts'
import { type HolderClass, holderOf, innermost } from './holder.ts'
import type { LifeJudge } from './judge.ts'
import type { DevicePage, DeviceType } from './life.ts'
import { deltaOf, type EventBatch, Op } from './page-event.ts'
import type { TraceTables } from './source.ts'

/** One step of a life: a change of the count. */
export interface LifeStep {
  /** What it adds; undefined: the count was stored. */
  readonly delta: number | undefined
  /** The count behind it; NaN: not known. */
  readonly after: number
  /** Whom to name: who took the reference or gave it back, helpers passed over. */
  readonly function: string
  /** What a get is for. */
  readonly class: HolderClass | undefined
}

/** Lives that went the same way. */
export interface LifeShape {
  readonly steps: readonly LifeStep[]
  /** The life goes on behind its last step: the recording ends there, or it was cut because it is too long. */
  readonly open: boolean
}

/** The lives of one recording. */
export interface LivesOfTrace {
  readonly shapes: readonly LifeShape[]
  /** In order of their beginning: the type of the page, and an index into `shapes`. */
  readonly lives: readonly { readonly type: DeviceType; readonly shape: number }[]
  readonly pages: number
}

/** Steps of a life that are kept. */
const LONGEST = 200
/** Functions that make the memory map: no part of a life. */
const BIRTH = /^(memmap_init_zone_device|__init_zone_device_page|__init_single_page)$/

export class LifeShapes implements LifeJudge {
  private tables: TraceTables | undefined
  private readonly pages: DevicePage[] = []
  private readonly steps: LifeStep[] = []
  private readonly stepIds = new Map<string, number>()
  /** Events: the page's index, and its step; in order of the page's life. */
  private rows = { page: new Int32Array(1 << 12), step: new Int32Array(1 << 12), time: new Float64Array(1 << 12), length: 0 }
  private readonly only: ReadonlySet<number>

  /** `only`: of these pages, if there are any. */
  constructor(only: ReadonlySet<number> = new Set()) {
    this.only = only
  }

  use(tables: TraceTables): void {
    this.tables = tables
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    if (this.only.size > 0 && !this.only.has(page.pfn)) return
    this.pages[page.index] = page
    let count = page.count
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const delta = deltaOf(batch.op[row], batch.val[row], batch.ret[row])
      count = countAfter(batch, row, count)
      if (delta === 0) continue
      const step = this.stepOf(batch, row, delta, count)
      if (step >= 0) this.push(page.index, step, batch.time[row])
    }
  }

  /** -1: no part of a life. */
  private stepOf(batch: EventBatch, row: number, delta: number | undefined, after: number): number {
    const { tables } = this
    const site = batch.stack[row] === 0 || !tables ? 0 : tables.site(batch.stack[row])
    const key = `${site} ${delta} ${after} ${batch.op[row]}`
    const known = this.stepIds.get(key)
    if (known !== undefined) return known
    const frames = site === 0 || !tables ? [] : tables.siteFrames(site)
    const birth = batch.op[row] === Op.set && frames.slice(0, 4).some((name) => BIRTH.test(name))
    const holder = delta === undefined || delta > 0 ? holderOf(frames, delta === undefined, delta !== undefined && delta >= 1023) : undefined
    const id = birth ? -1 : this.steps.length
    if (!birth) this.steps.push({ delta, after, function: holder?.function || innermost(frames) || '?', class: frames.length > 0 ? holder?.class : undefined })
    this.stepIds.set(key, id)
    return id
  }

  private push(page: number, step: number, time: number): void {
    const { rows } = this
    if (rows.length === rows.page.length) {
      const grown = {
        page: new Int32Array(rows.length * 2),
        step: new Int32Array(rows.length * 2),
        time: new Float64Array(rows.length * 2),
        length: rows.length,
      }
      grown.page.set(rows.page)
      grown.step.set(rows.step)
      grown.time.set(rows.time)
      this.rows = grown
    }
    const at = this.rows.length++
    this.rows.page[at] = page
    this.rows.step[at] = step
    this.rows.time[at] = time
  }

  broken(page: DevicePage): void {
    if (this.pages[page.index]) this.push(page.index, -1, 0)
  }

  end(): void {}

  /** The lives; asked at the end. `of` tells of a page whether it is a device's, its type and the count at which it is free. */
  lives(of: (page: DevicePage) => { readonly type: DeviceType; readonly freeAt: number } | undefined): LivesOfTrace {
    const { rows } = this
    const starts = new Int32Array(this.pages.length + 1)
    for (let i = 0; i < rows.length; i++) starts[rows.page[i] + 1]++
    for (let p = 0; p < this.pages.length; p++) starts[p + 1] += starts[p]
    const order = new Int32Array(rows.length)
    const at = starts.slice()
    for (let i = 0; i < rows.length; i++) order[at[rows.page[i]]++] = i
    const shapes: LifeShape[] = []
    const shapeIds = new Map<string, number>()
    const lives: { type: DeviceType; shape: number; began: number }[] = []
    let pages = 0
    this.pages.forEach((page, p) => {
      const facts = of(page)
      if (!facts) return
      const before = lives.length
      let ids: number[] = []
      let length = 0
      let began = 0
      const close = (open: boolean): void => {
        if (ids.length === 0) return
        const goesOn = open || length > ids.length
        const key = `${goesOn} ${ids.join(' ')}`
        let shape = shapeIds.get(key)
        if (shape === undefined) {
          shape = shapes.length
          shapes.push({ steps: ids.map((id) => this.steps[id]), open: goesOn })
          shapeIds.set(key, shape)
        }
        lives.push({ type: facts.type, shape, began })
        ids = []
        length = 0
      }
      for (let k = starts[p]; k < starts[p + 1]; k++) {
        const row = order[k]
        const id = rows.step[row]
        if (id < 0) {
          close(true)
          continue
        }
        if (ids.length === 0) began = rows.time[row]
        if (ids.length < LONGEST) ids.push(id)
        length++
        // A freeze takes the count to 0 for a moment; what it holds is given back by the unfreeze.
        const { after, delta } = this.steps[id]
        if (after <= facts.freeAt && delta !== undefined && delta < 0 && !this.frozen(rows, order, k, starts[p + 1])) close(false)
      }
      close(true)
      if (lives.length > before) pages++
    })
    lives.sort((a, b) => a.began - b.began)
    return { shapes, lives, pages }
  }

  /** Whether the next thing that happens to the page is that the count is stored again. */
  private frozen(rows: { step: Int32Array }, order: Int32Array, at: number, end: number): boolean {
    if (at + 1 >= end) return false
    const here = this.steps[rows.step[order[at]]]
    const next = rows.step[order[at + 1]]
    return next >= 0 && this.steps[next].delta === undefined && this.steps[next].after === -(here.delta ?? 0) && here.after === 0 && (here.delta ?? 0) < -1
  }
}
