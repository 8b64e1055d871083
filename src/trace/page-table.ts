/** The device pages of a trace by frame number. */
import { type DevicePage, UNKNOWN } from './life.ts'

/** A page with what the replay keeps of it. */
export interface TrackedPage extends DevicePage {
  /** `Zones.key` of its first event. */
  readonly zone: number
  /** The replay's count of losses when the page was last known. */
  epoch: number
  /** The last event made the page (memmap_init_zone_device). */
  birth: boolean
  /** Time of the last probe that made its range anew. */
  bornAt: number
  /** An event came with a result that tells the count exactly. */
  exact: boolean
}

/** Finds pages by frame; open addressing, since it is asked once an event. */
export class PageTable {
  private keys = new Float64Array(1 << 12).fill(-1)
  private slots = new Int32Array(1 << 12)
  readonly pages: TrackedPage[] = []

  find(pfn: number): TrackedPage | undefined {
    const mask = this.keys.length - 1
    let at = hash(pfn) & mask
    for (;;) {
      const key = this.keys[at]
      if (key === pfn) return this.pages[this.slots[at]]
      if (key === -1) return undefined
      at = (at + 1) & mask
    }
  }

  add(pfn: number, zone: number): TrackedPage {
    const page: TrackedPage = {
      index: this.pages.length,
      pfn,
      range: undefined,
      count: UNKNOWN,
      zone,
      epoch: 0,
      birth: false,
      bornAt: Number.NEGATIVE_INFINITY,
      exact: false,
    }
    this.pages.push(page)
    if (this.pages.length * 2 > this.keys.length) this.grow()
    else this.put(pfn, page.index)
    return page
  }

  private put(pfn: number, index: number): void {
    const mask = this.keys.length - 1
    let at = hash(pfn) & mask
    while (this.keys[at] !== -1) at = (at + 1) & mask
    this.keys[at] = pfn
    this.slots[at] = index
  }

  private grow(): void {
    this.keys = new Float64Array(this.keys.length * 4).fill(-1)
    this.slots = new Int32Array(this.keys.length)
    for (const page of this.pages) this.put(page.pfn, page.index)
  }
}

function hash(pfn: number): number {
  const low = pfn | 0
  const mixed = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d)
  return mixed ^ (mixed >>> 13)
}
