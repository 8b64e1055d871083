/**
 * References as a Perfetto trace: a track a page, on lanes below it a slice for each reference from its get to its put, the puts as instants on the page's
 * own track, and flows from get to put. Opens in ui.perfetto.dev.
 * Source of the field numbers: protos/perfetto/trace/{trace_packet,track_event/*,interned_data/*}.proto of google/perfetto.
 */
import { DeviceGate } from '../trace/device-gate.ts'
import type { ReferenceSink } from '../trace/judge.ts'
import type { DevicePage } from '../trace/life.ts'
import type { OpenReference } from '../trace/open-references.ts'
import type { Sites } from '../trace/sites.ts'
import type { TraceTables } from '../trace/source.ts'
import { ProtoWriter } from './protobuf.ts'

const TRACE = { packet: 1 }
const PACKET = { timestamp: 8, sequence: 10, event: 11, interned: 12, flags: 13, descriptor: 60 }
const EVENT = { annotations: 4, type: 9, nameId: 10, track: 11, flows: 47, endingFlows: 48 }
const TYPE = { begin: 1, end: 2, instant: 3 }
const ANNOTATION = { nameId: 1, uint: 3, stringId: 17 }
const DESCRIPTOR = { uuid: 1, name: 2, parent: 5 }
const INTERNED = { eventNames: 2, annotationNames: 3, annotationStrings: 29 }
const ENTRY = { id: 1, text: 2 }
const FLAGS = { cleared: 1, needs: 2 }
/** All packets are of one sequence: interned strings hold for it. */
const SEQUENCE = 1
/** Lanes a page may have: as many as references are remembered. */
const LANES = 128
const FULL = 1 << 20

type Kind = 'eventNames' | 'annotationNames' | 'annotationStrings'

interface PageTrack {
  /** By lane: the reference on it; 0: free. */
  readonly lanes: number[]
  /** Lanes with a track of their own already. */
  named: number
  /** Time stamps of one track never go back, though two CPUs may have logged in the opposite order. */
  last: number
}

interface Moment {
  readonly what: 'taken' | 'given' | 'forgotten'
  readonly id: number
  /** The get's. */
  readonly site: number
  readonly amount: number
  readonly time: number
  readonly pid: number
  /** The put's; 0: none. */
  readonly put: number
}

/** Gives pieces of the file to `sink` as they are made. `only`: of these pages, if there are any. */
export class PerfettoExport implements ReferenceSink {
  private readonly sink: (bytes: Uint8Array) => void
  private readonly only: ReadonlySet<number>
  private readonly file = new ProtoWriter(FULL + 65536)
  private readonly packet = new ProtoWriter()
  private readonly event = new ProtoWriter()
  private readonly part = new ProtoWriter()
  private readonly interned = new ProtoWriter()
  private readonly ids: Record<Kind, Map<string, number>> = { eventNames: new Map(), annotationNames: new Map(), annotationStrings: new Map() }
  private readonly tracks: (PageTrack | undefined)[] = []
  private sites: Sites | undefined
  private tables: TraceTables | undefined
  private gate: DeviceGate<Moment> | undefined
  private begun = false
  /** Slices written, for the report. */
  slices = 0

  constructor(sink: (bytes: Uint8Array) => void, only: ReadonlySet<number> = new Set()) {
    this.sink = sink
    this.only = only
  }

  begin(sites: Sites, certain: (page: DevicePage) => boolean | undefined): void {
    this.sites = sites
    this.gate = new DeviceGate(certain, (page, moment) => this.write(page, moment))
  }

  use(tables: TraceTables): void {
    this.tables = tables
  }

  taken(page: DevicePage, one: OpenReference): void {
    const { id, site, amount, time, pid } = one
    this.pass(page, { what: 'taken', id, site, amount, time, pid, put: 0 })
  }

  given(page: DevicePage, { id, site, amount }: OpenReference, put: number, pid: number, time: number): void {
    this.pass(page, { what: 'given', id, site, amount, time, pid, put })
  }

  forgotten(page: DevicePage, { id, site, amount, pid }: OpenReference, time: number): void {
    this.pass(page, { what: 'forgotten', id, site, amount, time, pid, put: 0 })
  }

  private pass(page: DevicePage, moment: Moment): void {
    if (this.only.size === 0 || this.only.has(page.pfn)) this.gate?.pass(page, () => moment)
  }

  end(device: (page: { readonly index: number; readonly pfn: number }) => boolean): void {
    this.gate?.end(device)
    this.flush()
  }

  private write(page: DevicePage, moment: Moment): void {
    let track = this.tracks[page.index]
    if (!track) {
      track = { lanes: [], named: 0, last: 0 }
      this.tracks[page.index] = track
      this.describe(uuid(page, 0), `page 0x${page.pfn.toString(16)}`, undefined)
    }
    track.last = Math.max(track.last, Math.max(0, Math.round(moment.time)))
    const { lanes } = track
    const lane = lanes.indexOf(moment.what === 'taken' ? 0 : moment.id)
    if (moment.what === 'taken') {
      const at = lane < 0 ? lanes.length : lane
      if (at >= LANES - 1) return
      lanes[at] = moment.id
      if (at >= track.named) {
        track.named = at + 1
        this.describe(uuid(page, at + 1), `references ${at + 1}`, uuid(page, 0))
      }
      const { frames } = this.sites?.of(moment.site) ?? { frames: [] }
      const holder = this.sites?.statsOf(moment.site)?.holder
      this.event
        .clear()
        .uint(EVENT.type, TYPE.begin)
        .uint(EVENT.track, uuid(page, at + 1))
        .fixed64(EVENT.flows, moment.id)
      this.named(holder?.function || frames[0] || 'unknown caller')
      if (holder) this.annotate('held as', holder.class)
      this.annotate('task', this.task(moment.pid))
      if (frames.length > 0) this.annotate('stack', frames.join(' < '))
      this.emit(track.last)
      this.slices++
      return
    }
    if (lane < 0) return
    lanes[lane] = 0
    this.event
      .clear()
      .uint(EVENT.type, TYPE.end)
      .uint(EVENT.track, uuid(page, lane + 1))
    this.emit(track.last)
    if (moment.put === 0) return
    const { frames } = this.sites?.of(moment.put) ?? { frames: [] }
    this.event.clear().uint(EVENT.type, TYPE.instant).uint(EVENT.track, uuid(page, 0)).fixed64(EVENT.endingFlows, moment.id)
    this.named(`put: ${frames[0] ?? 'unknown caller'}`)
    this.annotate('task', this.task(moment.pid))
    if (frames.length > 0) this.annotate('stack', frames.join(' < '))
    this.emit(track.last)
  }

  private task(pid: number): string {
    return `${this.tables?.comm(pid) ?? '<...>'}-${pid}`
  }

  private named(name: string): void {
    this.event.uint(EVENT.nameId, this.intern('eventNames', name))
  }

  private annotate(name: string, value: string): void {
    const nameId = this.intern('annotationNames', name)
    const valueId = this.intern('annotationStrings', value)
    this.event.message(EVENT.annotations, this.part.clear().uint(ANNOTATION.nameId, nameId).uint(ANNOTATION.stringId, valueId))
  }

  /** The string's number; new ones go into the packet that needs them. */
  private intern(kind: Kind, text: string): number {
    const ids = this.ids[kind]
    const known = ids.get(text)
    if (known !== undefined) return known
    const id = ids.size + 1
    ids.set(text, id)
    this.interned.message(INTERNED[kind], this.part.clear().uint(ENTRY.id, id).string(ENTRY.text, text))
    return id
  }

  private describe(track: number, name: string, parent: number | undefined): void {
    this.part.clear().uint(DESCRIPTOR.uuid, track).string(DESCRIPTOR.name, name)
    if (parent !== undefined) this.part.uint(DESCRIPTOR.parent, parent)
    this.packet.clear().uint(PACKET.sequence, SEQUENCE).message(PACKET.descriptor, this.part)
    this.close()
  }

  private emit(time: number): void {
    this.packet.clear().uint(PACKET.timestamp, time).uint(PACKET.sequence, SEQUENCE)
    if (this.interned.length > 0) this.packet.message(PACKET.interned, this.interned)
    this.interned.clear()
    this.packet.message(PACKET.event, this.event)
    this.close()
  }

  private close(): void {
    this.packet.uint(PACKET.flags, this.begun ? FLAGS.needs : FLAGS.cleared | FLAGS.needs)
    this.begun = true
    this.file.message(TRACE.packet, this.packet)
    if (this.file.length > FULL) this.flush()
  }

  private flush(): void {
    if (this.file.length > 0) this.sink(this.file.written().slice())
    this.file.clear()
  }
}

/** Lane 0 is the page's own track. */
function uuid(page: DevicePage, lane: number): number {
  return (page.index + 1) * LANES + lane
}
