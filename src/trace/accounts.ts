/** What the ledger keeps of pages, in columns: there may be hundreds of thousands. */
import { PAGES, roomFor } from './columns.ts'
import type { LifeVectors, VectorId } from './life-vectors.ts'
import { type OpenReference, OpenReferences } from './open-references.ts'
import type { PageTable, TrackedPage } from './page-table.ts'

/** A page's current life, as it is looked at when the trace has ended. */
export interface OpenLife {
  /** Vector of the life so far. */
  readonly dimensions: readonly number[]
  readonly amounts: readonly number[]
  /** Sum of what the life added: the count above the free value, if its start was known. */
  readonly sum: number
  /** Hash of the vector. */
  readonly low: number
  readonly high: number
  /** The oldest first. */
  readonly open: readonly OpenReference[]
  /** References that were there when the life was first seen: "earlier, unknown". NaN: how many is unknown. */
  readonly earlier: number
  /** There were such references, though they may all be given back: the vector does not tell of them. */
  readonly late: boolean
  /** The count was taken to 0 by a freeze and will be given back. */
  readonly frozen: boolean
  /** Of the life's last event. */
  readonly last: number
  /** Since when the page is at rest but for the one reference that is open, whatever came and went since; Infinity where others are open. */
  readonly rests: number
  readonly lastSite: number
  readonly lastPid: number
  /** page->_mapcount as the last event told it, and the low flags. */
  readonly lastMapcount: number
  readonly lastFlags: number
}

/** What the ledger knows of a page. */
export interface PageAccount {
  readonly page: TrackedPage
  readonly life: OpenLife | undefined
  /** Events of this page may be missing since it was last seen free: nothing may be claimed of it. */
  readonly tainted: boolean
  /** The site whose put made the page idle last, while it is idle; 0: none or not idle. */
  readonly idledBy: number
  readonly idledAt: number
}

/** Bits of `Accounts.marks`. */
export const TAINTED = 1
export const FROZEN = 2
export const LIVED = 4
/** The page had events. */
export const MET = 8
/** Its base reference is gone, others are not: the memory map is taken down, and waits for them. */
export const GOING = 16
/** The life was first seen when references were there already: its vector is not all of it, whatever became of those. */
export const LATE = 32

/** Columns by the page's index. */
export class Accounts {
  readonly references = new OpenReferences()
  /** The vector of the current life; 0: no life. */
  vector = new Int32Array(PAGES)
  /** The youngest open reference, and how many there are. */
  first = new Int32Array(PAGES)
  open = new Uint8Array(PAGES)
  earlier = new Float64Array(PAGES)
  /** TAINTED: events may be missing since the page was last seen free, so nothing may be claimed of it. LIVED: it had a life that was completed. */
  marks = new Uint8Array(PAGES)
  /** The site whose put made the page idle last, while it is idle; 0: none or not idle. */
  idledBy = new Int32Array(PAGES)
  idledAt = new Float64Array(PAGES)
  last = new Float64Array(PAGES)
  lastSite = new Int32Array(PAGES)
  lastPid = new Int32Array(PAGES)
  lastMapcount = new Int32Array(PAGES)
  lastFlags = new Uint32Array(PAGES)
  /** The reference that was the only open one, by its id, and when a put left it so first. */
  restOf = new Float64Array(PAGES)
  restAt = new Float64Array(PAGES)

  private readonly table: PageTable

  constructor(table: PageTable) {
    this.table = table
  }

  meet(index: number): void {
    if (index >= this.vector.length) for (const name of NAMES) (this[name] as Int32Array) = roomFor(this[name] as Int32Array, index + 1)
    this.marks[index] |= MET
  }

  /** The pages that had events, those of them that are asked for. */
  pages(wanted: (page: TrackedPage) => boolean): TrackedPage[] {
    const { table, marks } = this
    const found: TrackedPage[] = []
    for (let index = 0; index < table.pages.length; index++) if ((marks[index] & MET) !== 0 && wanted(table.pages[index])) found.push(table.pages[index])
    return found
  }

  /** What is known of a page that had events. */
  of(index: number, vectors: LifeVectors): PageAccount {
    return new AccountOfPage(this, vectors, this.table.pages[index])
  }

  /** A put left the page with one reference open. */
  rests(index: number, time: number): void {
    const id = this.references.idOf(this.first[index])
    if (this.restOf[index] === id) return
    this.restOf[index] = id
    this.restAt[index] = time
  }

  lifeOf(index: number, vectors: LifeVectors): OpenLife | undefined {
    const vector: VectorId = this.vector[index]
    if (vector === 0) return undefined
    const { dimensions, amounts, sum, low, high } = vectors.of(vector)
    return {
      dimensions,
      amounts,
      sum,
      low,
      high,
      open: this.references.list(this.first[index]).map((at) => this.references.view(at)),
      earlier: this.earlier[index],
      late: (this.marks[index] & LATE) !== 0,
      frozen: (this.marks[index] & FROZEN) !== 0,
      last: this.last[index],
      rests: this.open[index] === 1 && this.restOf[index] === this.references.idOf(this.first[index]) ? this.restAt[index] : Number.POSITIVE_INFINITY,
      lastSite: this.lastSite[index],
      lastPid: this.lastPid[index],
      lastMapcount: this.lastMapcount[index],
      lastFlags: this.lastFlags[index],
    }
  }
}

const NAMES = [
  'vector',
  'first',
  'open',
  'earlier',
  'marks',
  'idledBy',
  'idledAt',
  'last',
  'lastSite',
  'lastPid',
  'lastMapcount',
  'lastFlags',
  'restOf',
  'restAt',
] as const

/** Looks up what it is asked: most pages are asked very little. */
class AccountOfPage implements PageAccount {
  readonly page: TrackedPage
  private readonly accounts: Accounts
  private readonly vectors: LifeVectors

  constructor(accounts: Accounts, vectors: LifeVectors, page: TrackedPage) {
    this.accounts = accounts
    this.vectors = vectors
    this.page = page
  }

  get life(): OpenLife | undefined {
    return this.accounts.lifeOf(this.page.index, this.vectors)
  }

  get tainted(): boolean {
    return (this.accounts.marks[this.page.index] & TAINTED) !== 0
  }

  get idledBy(): number {
    return this.accounts.idledBy[this.page.index]
  }

  get idledAt(): number {
    return this.accounts.idledAt[this.page.index]
  }
}
