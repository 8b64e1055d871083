/** Which frames are device pages, of which type: /proc/iomem, the --range option, probes in the trace, and the table they fill. */
import type { DeviceRange, DeviceType, RangeOrigin } from './life.ts'
import type { RangeEvent } from './source.ts'

const PAGE = 4096n

/** The resource tree's lines: `  40000000-5fffffff : namespace0.0`, two spaces a level. */
const LINE = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/

export interface IomemProblem {
  readonly message: string
}

interface IomemLine {
  readonly depth: number
  readonly start: bigint
  readonly end: bigint
  readonly name: string
}

function iomemLines(text: string): IomemLine[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line)
    return match ? [{ depth: match[1].length / 2, start: BigInt(`0x${match[2]}`), end: BigInt(`0x${match[3]}`), name: match[4].trim() }] : []
  })
}

/** Frames in a few ranges. */
export class FrameSet {
  private readonly ranges: readonly { readonly start: number; readonly end: number }[]

  constructor(ranges: readonly { readonly start: number; readonly end: number }[]) {
    this.ranges = ranges
  }

  has(pfn: number): boolean {
    for (const { start, end } of this.ranges) if (pfn >= start && pfn <= end) return true
    return false
  }
}

/** Ordinary memory in the text of /proc/iomem: no frame of `System RAM` is a device page, also where its flags look like one's (the vdso's pages are reserved). */
export function ordinaryFrames(text: string): FrameSet {
  return new FrameSet(
    iomemLines(text)
      .filter(({ name }) => name.startsWith('System RAM'))
      .map(({ start, end }) => rangeOfBytes(start, end, 'unknown', 'iomem', undefined)),
  )
}

/**
 * Finds device ranges in the text of /proc/iomem. Throws an `Error` with what to do if it was read without being root, or is none.
 * Names are those the kernel gives (kernel/resource.c, drivers/nvdimm, drivers/dax, drivers/pci); device-private memory has the name of its
 * driver, which can be any: it is told by where it lies, behind everything that is a bus, firmware or RAM (request_free_mem_region).
 */
export function parseIomem(text: string): DeviceRange[] {
  const entries = iomemLines(text)
  if (entries.length === 0) throw new Error('holds no line of the form "40000000-5fffffff : name": is it a copy of /proc/iomem?')
  if (entries.every((entry) => entry.end === 0n)) throw new Error('has only zeros: /proc/iomem shows its addresses to root only; copy it as root')
  let top = 0n
  for (const { depth, name, end } of entries) if (depth === 0 && COMMON.test(name) && !/^Reserved$/i.test(name) && end > top) top = end
  const ranges: DeviceRange[] = []
  entries.forEach((entry, i) => {
    const children: string[] = []
    for (let k = i + 1; k < entries.length && entries[k].depth > entry.depth; k++) children.push(entries[k].name)
    const type = typeOf(entry.name, children, entry.depth === 0 && entry.start > top)
    if (type) ranges.push(rangeOfBytes(entry.start, entry.end, type, 'iomem', entry.name))
  })
  return ranges
}

/** What every machine has, and no device memory. */
const COMMON =
  /^(System RAM|Reserved|PCI |ACPI|Video|Adapter ROM|System ROM|IOAPIC|HPET|Local APIC|RAM buffer|Unusable|CXL Window|Soft Reserved|Persistent Memory)/i

function typeOf(name: string, children: readonly string[], behindAll: boolean): DeviceType | undefined {
  if (/^namespace\d+\.\d+$/.test(name)) return children.some((child) => /^dax\d/.test(child)) ? undefined : 'fsdax'
  if (/^dax\d+\.\d+$/.test(name)) return children.some((child) => child.startsWith('System RAM')) ? undefined : 'generic'
  if (/^Xen scratch/.test(name)) return 'generic'
  if (/^virtio\d+$/.test(name)) return 'fsdax'
  if (/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(name)) return 'p2pdma'
  return behindAll && !COMMON.test(name) ? 'private' : undefined
}

function rangeOfBytes(start: bigint, end: bigint, type: DeviceType, from: RangeOrigin, name: string | undefined): DeviceRange {
  return { start: Number((start + PAGE - 1n) / PAGE), end: Number((end + 1n) / PAGE - 1n), type, from, name }
}

export const DEVICE_TYPES: readonly DeviceType[] = ['private', 'coherent', 'fsdax', 'generic', 'p2pdma', 'unknown']

/** Reads `--range 0x40000-0x5ffff=fsdax`: page frame numbers, inclusive. Throws an `Error` that says what is wrong. */
export function parseRange(text: string): DeviceRange {
  const match = /^(0x[0-9a-f]+|\d+)-(0x[0-9a-f]+|\d+)(?:=(\w+))?$/i.exec(text.trim())
  if (!match) throw new Error(`--range ${text}: give page frame numbers and a type, as in 0x40000-0x5ffff=fsdax`)
  const start = Number(match[1])
  const end = Number(match[2])
  const type = (match[3] ?? 'unknown') as DeviceType
  if (!DEVICE_TYPES.includes(type)) throw new Error(`--range ${text}: the type is one of ${DEVICE_TYPES.join(', ')}`)
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || end < start) throw new Error(`--range ${text}: the first frame is behind the last`)
  return { start, end, type, from: 'option', name: undefined }
}

/** The types as the kernel numbers them (include/linux/memremap.h); MEMORY_DEVICE_COHERENT came in between with 6.0. */
const BEFORE_COHERENT: readonly (DeviceType | undefined)[] = [undefined, 'private', 'fsdax', 'generic', 'p2pdma']
const WITH_COHERENT: readonly (DeviceType | undefined)[] = [undefined, 'private', 'coherent', 'fsdax', 'generic', 'p2pdma']

export function typeOfNumber(number: number | undefined, release: string | undefined): DeviceType {
  if (number === undefined) return 'unknown'
  const [major] = (release ?? '').split('.').map(Number)
  // Without a release only the number both agree on tells.
  if (!major) return number === 1 ? 'private' : 'unknown'
  return (major >= 6 ? WITH_COHERENT : BEFORE_COHERENT)[number] ?? 'unknown'
}

/** The order of trust: what is later in it gives way. */
const TRUST: readonly RangeOrigin[] = ['kprobe', 'iomem', 'option', 'zone', 'shape']

/** Ranges as they are known at a time. */
export class RangeTable {
  private all: DeviceRange[] = []
  private readonly byPgmap = new Map<bigint, DeviceRange>()
  private last: DeviceRange | undefined

  constructor(ranges: readonly DeviceRange[]) {
    for (const range of ranges) this.add(range)
  }

  get ranges(): readonly DeviceRange[] {
    return this.all
  }

  private add(range: DeviceRange): void {
    this.all.push(range)
    this.all.sort((a, b) => TRUST.indexOf(a.from) - TRUST.indexOf(b.from) || a.start - b.start)
    this.last = undefined
  }

  /** Takes in a probe's event. Gives the frames that begin or cease to be device pages with it, if that is told. */
  apply(event: RangeEvent, release: string | undefined): { readonly start: number; readonly end: number } | undefined {
    if (event.kind === 'unmap') {
      const range = this.byPgmap.get(event.pgmap)
      this.byPgmap.delete(event.pgmap)
      return range
    }
    if (event.start === undefined || event.end === undefined) return undefined
    const range: DeviceRange = { start: event.start, end: event.end, type: typeOfNumber(event.type, release), from: 'kprobe', name: undefined }
    this.byPgmap.set(event.pgmap, range)
    const known = this.all.find((one) => one.from === 'kprobe' && one.start === range.start && one.end === range.end && one.type === range.type)
    if (!known) this.add(range)
    return range
  }

  /** The range a frame is in, the most trusted first. */
  find(pfn: number): DeviceRange | undefined {
    const { last } = this
    if (last && pfn >= last.start && pfn <= last.end) return last
    for (const range of this.all) {
      if (pfn >= range.start && pfn <= range.end) {
        // Remembered only where no more trusted range could overlap it.
        if (this.all[0] === range || this.all.every((one) => one === range || one.end < range.start || one.start > range.end)) this.last = range
        return range
      }
    }
    return undefined
  }
}
