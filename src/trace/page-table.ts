/** The device pages of a trace by frame number. What the replay keeps of a page lies in columns: there may be millions. */
import { PAGES, roomFor } from './columns.ts'
import { type DevicePage, type DeviceRange, UNKNOWN } from './life.ts'

/** Frames in a block of the table (the pages of a device lie together), and blocks that are looked up together. */
const BLOCK_BITS = 12
const BLOCK = 1 << BLOCK_BITS
const BLOCKS = 1 << 12
const SPAN = BLOCK * BLOCKS

/** A page with what the replay keeps of it. */
export class TrackedPage implements DevicePage {
  readonly index: number
  range: DeviceRange | undefined = undefined
  private readonly columns: PageTable

  constructor(columns: PageTable, index: number) {
    this.columns = columns
    this.index = index
  }

  get pfn(): number {
    return this.columns.pfns[this.index]
  }

  get count(): number {
    return this.columns.counts[this.index]
  }

  set count(count: number) {
    this.columns.counts[this.index] = count
  }

  /** `Zones.key` of its first event. */
  get zone(): number {
    return this.columns.zones[this.index]
  }

  /** The replay's count of losses when the page was last known. */
  get epoch(): number {
    return this.columns.epochs[this.index]
  }

  set epoch(epoch: number) {
    this.columns.epochs[this.index] = epoch
  }

  /** Time of the last probe that made its range anew. */
  get bornAt(): number {
    return this.columns.bornAts.get(this.index) ?? Number.NEGATIVE_INFINITY
  }

  set bornAt(time: number) {
    this.columns.bornAts.set(this.index, time)
  }

  /** How many of the births that probes told were looked at for this page. */
  get birthsSeen(): number {
    return this.columns.birthsSeen[this.index]
  }

  set birthsSeen(births: number) {
    this.columns.birthsSeen[this.index] = births
  }

  /** The last event made the page (memmap_init_zone_device). */
  get birth(): boolean {
    return (this.columns.marks[this.index] & BIRTH) !== 0
  }

  set birth(on: boolean) {
    this.mark(BIRTH, on)
  }

  /** An event came with a result that tells the count exactly. */
  get exact(): boolean {
    return (this.columns.marks[this.index] & EXACT) !== 0
  }

  set exact(on: boolean) {
    this.mark(EXACT, on)
  }

  /** It is certain that the page is a device's: its events need not be asked about. */
  get certain(): boolean {
    return (this.columns.marks[this.index] & CERTAIN) !== 0
  }

  set certain(on: boolean) {
    this.mark(CERTAIN, on)
  }

  private mark(bit: number, on: boolean): void {
    const { marks } = this.columns
    marks[this.index] = on ? marks[this.index] | bit : marks[this.index] & ~bit
  }
}

/** Bits of `PageTable.marks`. */
export const BIRTH = 1
export const EXACT = 2
export const CERTAIN = 4

/** Finds pages by frame: asked once an event. */
export class PageTable {
  readonly pages: TrackedPage[] = []
  pfns = new Float64Array(PAGES)
  counts = new Float64Array(PAGES)
  zones = new Int32Array(PAGES)
  epochs = new Int32Array(PAGES)
  birthsSeen = new Int32Array(PAGES)
  marks = new Uint8Array(PAGES)
  readonly bornAts = new Map<number, number>()
  /** Per block of frames, 1 + the index of each page; 0: none. Blocks by `SPAN` of frames. */
  private readonly spans = new Map<number, (Int32Array | undefined)[]>()
  private lastSpan = -1
  private lastBlocks: (Int32Array | undefined)[] = []

  /** The index of a frame's page; -1: none. */
  find(pfn: number): number {
    const span = Math.floor(pfn / SPAN)
    if (span !== this.lastSpan) {
      const blocks = this.spans.get(span)
      if (!blocks) return -1
      this.lastSpan = span
      this.lastBlocks = blocks
    }
    const at = pfn - span * SPAN
    const slots = this.lastBlocks[at >>> BLOCK_BITS]
    return slots === undefined ? -1 : slots[at & (BLOCK - 1)] - 1
  }

  add(pfn: number, zone: number): TrackedPage {
    const index = this.pages.length
    if (index === this.pfns.length) this.grow()
    this.pfns[index] = pfn
    this.counts[index] = UNKNOWN
    this.zones[index] = zone
    const page = new TrackedPage(this, index)
    this.pages.push(page)
    const span = Math.floor(pfn / SPAN)
    let blocks = this.spans.get(span)
    if (!blocks) {
      blocks = new Array<Int32Array | undefined>(BLOCKS).fill(undefined)
      this.spans.set(span, blocks)
    }
    const at = pfn - span * SPAN
    let slots = blocks[at >>> BLOCK_BITS]
    if (!slots) {
      slots = new Int32Array(BLOCK)
      blocks[at >>> BLOCK_BITS] = slots
    }
    slots[at & (BLOCK - 1)] = index + 1
    return page
  }

  private grow(): void {
    const size = this.pfns.length * 2
    this.pfns = roomFor(this.pfns, size)
    this.counts = roomFor(this.counts, size)
    this.zones = roomFor(this.zones, size)
    this.epochs = roomFor(this.epochs, size)
    this.birthsSeen = roomFor(this.birthsSeen, size)
    this.marks = roomFor(this.marks, size)
  }
}
