/** Areas of device pages that follow one counting rule: what type they are, and at which count their pages are free. */
import { PAGES, roomFor } from './columns.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { DeviceRange, DeviceType, RangeOrigin } from './life.ts'
import { type EventBatch, HIGH, LOW, Op } from './page-event.ts'
import type { TrackedPage } from './page-table.ts'

/** Pages outside of known ranges are taken together in blocks of so many frames. */
const BLOCK = 1 << 16
/** So many exact observations against the rule of the supposed type decide against it. */
const AGAINST = 20

/** One area while the trace is read. */
export class Area {
  readonly range: DeviceRange | undefined
  start: number
  end: number
  /** What the events' stacks say of the type: how many said what. */
  private readonly shapes = { private: 0, fsdax: 0, p2pdma: 0 }
  /** Exact observations: puts after which the count was 0; puts of the managed kind (dec_return) that ended at 1. */
  zero = 0
  one = 0
  private fromZero = false
  /** The least count seen after a put, by hints. */
  private least = Number.POSITIVE_INFINITY
  private decided: 0 | 1 | undefined
  /** The value the ledger goes by at the moment. */
  followed: 0 | 1 | undefined
  private asked = 0
  /** The range itself tells the type: stacks need not be asked. */
  readonly told: boolean
  private readonly rules: KernelRules | undefined

  constructor(range: DeviceRange | undefined, pfn: number, rules: KernelRules | undefined) {
    this.range = range
    this.start = range?.start ?? pfn
    this.end = range?.end ?? pfn
    this.rules = rules
    this.told = range !== undefined && range.type !== 'unknown'
  }

  /** How the type became known. */
  get from(): RangeOrigin {
    if (this.range && (this.range.type !== 'unknown' || this.shape === undefined)) return this.range.from
    return this.shape === undefined ? 'zone' : 'shape'
  }

  get type(): DeviceType {
    if (this.range && this.range.type !== 'unknown') return this.range.type
    return this.shape ?? 'unknown'
  }

  private get shape(): DeviceType | undefined {
    const { shapes } = this
    if (shapes.private + shapes.fsdax + shapes.p2pdma === 0) return undefined
    if (shapes.private >= shapes.fsdax && shapes.private >= shapes.p2pdma) return 'private'
    return shapes.fsdax >= shapes.p2pdma ? 'fsdax' : 'p2pdma'
  }

  saw(shape: 'private' | 'fsdax' | 'p2pdma'): void {
    this.shapes[shape]++
  }

  /** Takes in what a row tells of the resting count. */
  observe(batch: EventBatch, row: number): void {
    const op = batch.op[row]
    const val = batch.val[row]
    // A get that leaves 1 took a page that was at 0. The count is a hint, though: another CPU may have put in between.
    if (op === Op.mod && val === 1 && batch.count[row] === 1) this.fromZero = true
    if (val >= 0 || op < Op.mod || op > Op.modAndReturn) return
    if (op === Op.modAndTest && batch.ret[row] !== 0) this.zero++
    else if (op === Op.modAndReturn && batch.ret[row] === 1) this.one++
    else if (op === Op.modAndReturn && batch.ret[row] === 0) this.zero++
    if (batch.count[row] < this.least) this.least = batch.count[row]
  }

  /** The count at which pages here are free (or idle): by the model's rule for the type, unless the trace speaks clearly against it. */
  get freeAt(): 0 | 1 {
    this.decided = this.decide(this.type)
    return this.decided
  }

  /** The same while events come: asked for each, decided anew at first for each and later now and then. */
  get freeAtNow(): 0 | 1 {
    const { decided } = this
    if (decided !== undefined && this.asked++ > 256 && (this.asked & 1023) !== 0) return decided
    return this.freeAt
  }

  /** Whether the model's rule for the type is the one that holds here; where it is not, its kernel is not the trace's in other ways either. */
  get asModelled(): boolean {
    const rule = this.rules?.freeAt(this.type)
    return rule === undefined || rule === this.freeAt
  }

  /** The rule all types of this kernel follow, if they agree. */
  private agreed(): 0 | 1 | undefined {
    const rules = new Set(TYPES.map((type) => this.rules?.freeAt(type)).filter((rule) => rule !== undefined))
    return rules.size === 1 ? [...rules][0] : undefined
  }

  private decide(type: DeviceType): 0 | 1 {
    const rule = type === 'unknown' ? this.agreed() : this.rules?.freeAt(type)
    const { zero, one } = this
    // Nothing in the trace is as the rule has it, and something is as it has not: the release is between two kernels of the model, or the wrong one was named.
    if (rule === 1 && one === 0 && (zero > 0 || this.fromZero)) return 0
    if (rule === 0 && zero === 0 && one > 0) return 1
    if (rule === 0 && !(one >= AGAINST && one > 4 * zero)) return 0
    if (rule === 1 && !(zero >= AGAINST && zero > 4 * one)) return 1
    if (zero > 0 || one > 0) return one > zero ? 1 : 0
    return this.least === 1 && type !== 'private' ? 1 : 0
  }
}

const TYPES: readonly DeviceType[] = ['private', 'coherent', 'fsdax', 'generic', 'p2pdma']

/** Finds the area of a page, and learns what areas are. */
export class Areas {
  private readonly byRange = new Map<DeviceRange, Area>()
  private readonly byBlock = new Map<number, Area>()
  private readonly known: Area[] = []
  /** By the page's index: 1 + the index in `known`. */
  private ofPage = new Uint32Array(PAGES)
  private readonly rules: KernelRules | undefined

  constructor(rules: KernelRules | undefined) {
    this.rules = rules
  }

  of(page: TrackedPage): Area {
    const { index } = page
    if (index >= this.ofPage.length) this.ofPage = roomFor(this.ofPage, index + 1)
    const found = this.ofPage[index]
    if (found !== 0 && this.known[found - 1].range === page.range) return this.known[found - 1]
    const area = page.range ? this.inRange(page.range) : this.inBlock(page.pfn)
    let at = this.known.indexOf(area)
    if (at < 0) at = this.known.push(area) - 1
    this.ofPage[index] = at + 1
    return area
  }

  private inRange(range: DeviceRange): Area {
    let area = this.byRange.get(range)
    if (!area) {
      area = new Area(range, range.start, this.rules)
      this.byRange.set(range, area)
    }
    return area
  }

  private inBlock(pfn: number): Area {
    const block = Math.floor(pfn / BLOCK)
    let area = this.byBlock.get(block)
    if (!area) {
      area = new Area(undefined, pfn, this.rules)
      this.byBlock.set(block, area)
    }
    if (pfn < area.start) area.start = pfn
    if (pfn > area.end) area.end = pfn
    return area
  }

  get all(): readonly Area[] {
    return [...this.byRange.values(), ...this.byBlock.values()]
  }
}

/** What a row's page->mapping says: a file's mapping is fsdax (or device-dax), an anonymous one private memory. */
export function shapeOfMapping(batch: EventBatch, row: number): 'private' | 'fsdax' | undefined {
  const low = batch.mapping32[2 * row + LOW]
  if (low === 0 && batch.mapping32[2 * row + HIGH] === 0) return undefined
  return (low & 3) === 0 ? 'fsdax' : (low & 3) === 1 && batch.mapping32[2 * row + HIGH] !== 0 ? 'private' : undefined
}
