/** The device pages of a trace by frame number. What the replay keeps of a page lies in columns: there may be millions. */
import { type DevicePage, type DeviceRange, UNKNOWN } from './life.ts'

/** Frames in a block of the table: the pages of a device lie together. */
const BLOCK_BITS = 12
const BLOCK = 1 << BLOCK_BITS

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

const BIRTH = 1
const EXACT = 2
const CERTAIN = 4

/** Finds pages by frame: asked once an event. */
export class PageTable {
  readonly pages: TrackedPage[] = []
  pfns = new Float64Array(1 << 10)
  counts = new Float64Array(1 << 10)
  zones = new Int32Array(1 << 10)
  epochs = new Int32Array(1 << 10)
  marks = new Uint8Array(1 << 10)
  readonly bornAts = new Map<number, number>()
  /** Per block of frames, 1 + the index of each page; 0: none. */
  private readonly blocks = new Map<number, Int32Array>()
  private lastBlock = -1
  private lastSlots = new Int32Array(0)

  find(pfn: number): TrackedPage | undefined {
    const slots = this.slotsOf(pfn)
    if (!slots) return undefined
    const slot = slots[pfn % BLOCK]
    return slot === 0 ? undefined : this.pages[slot - 1]
  }

  private slotsOf(pfn: number): Int32Array | undefined {
    const block = Math.floor(pfn / BLOCK)
    if (block === this.lastBlock) return this.lastSlots
    const slots = this.blocks.get(block)
    if (slots) {
      this.lastBlock = block
      this.lastSlots = slots as Int32Array<ArrayBuffer>
    }
    return slots
  }

  add(pfn: number, zone: number): TrackedPage {
    const index = this.pages.length
    if (index === this.pfns.length) this.grow()
    this.pfns[index] = pfn
    this.counts[index] = UNKNOWN
    this.zones[index] = zone
    const page = new TrackedPage(this, index)
    this.pages.push(page)
    let slots = this.slotsOf(pfn)
    if (!slots) {
      slots = new Int32Array(BLOCK)
      this.blocks.set(Math.floor(pfn / BLOCK), slots)
    }
    slots[pfn % BLOCK] = index + 1
    return page
  }

  private grow(): void {
    const size = this.pfns.length * 2
    const grown = <T extends Float64Array | Int32Array | Uint8Array>(bigger: T, old: T): T => {
      bigger.set(old)
      return bigger
    }
    this.pfns = grown(new Float64Array(size), this.pfns)
    this.counts = grown(new Float64Array(size), this.counts)
    this.zones = grown(new Int32Array(size), this.zones)
    this.epochs = grown(new Int32Array(size), this.epochs)
    this.marks = grown(new Uint8Array(size), this.marks)
  }
}
