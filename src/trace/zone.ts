/**
 * Telling device pages from others by page->flags, where no range says so. ZONE_DEVICE's number and where the zone lies in the flags depend on
 * the kernel's configuration and are not in the file; but all device pages of a machine share the top bits, most of them are PG_reserved with
 * migrate type 1, and pages of other zones are nearly never.
 * Source: include/linux/page-flags-layout.h, include/linux/page-flags.h of 5.10 to 7.3.
 */
import { type EventBatch, HIGH, LOW, Op } from './page-event.ts'
import { reservedMask } from './page-flags.ts'

/** Bits 50 to 63: zone and node lie there on 64-bit kernels; what may lie below them differs from page to page. */
const ZONE_SHIFT = 18
/** After so many events of a key its kind is decided for good, so that the rest can be passed over. */
const ENOUGH = 512

/** The zone's part of the upper half of page->flags. */
export function zoneKey(high: number): number {
  return high >>> ZONE_SHIFT
}

interface Stat {
  /** Events that are no `set`, and those of them that look like a device page's. */
  events: number
  reserved: number
  /** The same of `set`: while a memory map is made the flags are not complete, so these decide only where there is nothing else. */
  sets: number
  setsReserved: number
  /** An event of this key was in a range that is known to be a device's. */
  known: boolean
  decided: boolean | undefined
}

/** What the top bits of the flags say, learnt while events come. The decision for a key never changes once it is made. */
export class Zones {
  private readonly stats = new Map<number, Stat>()
  private readonly reserved: number
  private dropped: readonly number[] = []
  private lastKey = -1
  private lastStat: Stat | undefined

  /** True if the flags may come without a zone, as most text has them: then what is known of one page says nothing of others. */
  private readonly zoneless: boolean

  constructor(release: string | undefined, zoneless = false) {
    this.reserved = reservedMask(release)
    this.zoneless = zoneless
  }

  /** The zone's part of a row's flags. */
  static key(batch: EventBatch, row: number): number {
    return zoneKey(batch.flags32[2 * row + HIGH])
  }

  /** Counts an event; whether its page may be a device's: true, false, or undefined as long as that is open. */
  candidate(batch: EventBatch, row: number, known: boolean): boolean | undefined {
    const key = Zones.key(batch, row)
    let stat = this.lastStat
    if (key !== this.lastKey || stat === undefined) {
      stat = this.stats.get(key)
      if (!stat) {
        stat = { events: 0, reserved: 0, sets: 0, setsReserved: 0, known: false, decided: undefined }
        this.stats.set(key, stat)
      }
      this.lastKey = key
      this.lastStat = stat
    }
    if (known && key === 0 && this.zoneless) return true
    if (stat.decided !== undefined) return stat.decided
    if (known) {
      // While a page is made its flags may not have a zone yet: that says nothing of the others that have none.
      if (batch.op[row] !== Op.set) stat.known = true
      return true
    }
    const reserved = (batch.flags32[2 * row + LOW] & this.reserved) !== 0
    if (batch.op[row] === Op.set) {
      stat.sets++
      if (reserved) stat.setsReserved++
    } else {
      stat.events++
      if (reserved && batch.mt[row] === 1) stat.reserved++
    }
    if (stat.events === ENOUGH) {
      stat.decided = decide(stat)
      if (!stat.decided) this.dropped = [...this.dropped, key]
    }
    return stat.decided
  }

  /** The decision for a key with all that was seen of it. */
  isDevice(key: number): boolean {
    const stat = this.stats.get(key)
    return stat !== undefined && (stat.decided ?? decide(stat))
  }

  /** The decision for a key, if nothing can change it any more. */
  settled(key: number): boolean | undefined {
    const stat = this.stats.get(key)
    return stat?.known ? true : stat?.decided
  }

  /** Keys that are decided not to be a device's: their events need not be read at all. */
  get others(): readonly number[] {
    return this.dropped
  }
}

function decide(stat: Stat): boolean {
  if (stat.known) return true
  return stat.events > 0 ? stat.reserved * 2 >= stat.events : stat.setsReserved * 2 >= stat.sets
}
