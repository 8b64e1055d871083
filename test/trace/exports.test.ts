/** What `putpage trace` writes: Perfetto, Parquet, SQL, two recordings side by side. Each is read back with a decoder that is not ours. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { parquetReadObjects } from 'hyparquet'
import protobuf from 'protobufjs'
import { packageRoot } from '../../src/cli/files.ts'
import { PerfettoExport } from '../../src/report/trace-perfetto.ts'
import { Audit } from '../../src/trace/audit.ts'
import { excerpt, fileOf, pass, plainRules, rangesOf } from './in-process.ts'

/** The messages of Perfetto's own protos, as far as they are used here. */
const SCHEMA = protobuf
  .parse(`syntax = "proto2"; package perfetto.protos;
message Trace { repeated TracePacket packet = 1; }
message TracePacket { optional uint64 timestamp = 8; optional uint32 trusted_packet_sequence_id = 10; optional TrackEvent track_event = 11;
  optional InternedData interned_data = 12; optional uint32 sequence_flags = 13; optional TrackDescriptor track_descriptor = 60; }
message TrackDescriptor { optional uint64 uuid = 1; optional string name = 2; optional uint64 parent_uuid = 5; }
message TrackEvent { enum Type { TYPE_UNSPECIFIED = 0; TYPE_SLICE_BEGIN = 1; TYPE_SLICE_END = 2; TYPE_INSTANT = 3; TYPE_COUNTER = 4; }
  repeated DebugAnnotation debug_annotations = 4; optional Type type = 9; optional uint64 name_iid = 10; optional uint64 track_uuid = 11;
  repeated fixed64 flow_ids = 47; repeated fixed64 terminating_flow_ids = 48; }
message DebugAnnotation { optional uint64 name_iid = 1; optional uint64 string_value_iid = 17; }
message InternedData { repeated EventName event_names = 2; repeated DebugAnnotationName debug_annotation_names = 3;
  repeated InternedString debug_annotation_string_values = 29; }
message EventName { optional uint64 iid = 1; optional string name = 2; }
message DebugAnnotationName { optional uint64 iid = 1; optional string name = 2; }
message InternedString { optional uint64 iid = 1; optional bytes str = 2; }`)
  .root.lookupType('perfetto.protos.Trace')

interface Packet {
  readonly timestamp?: string
  readonly trackDescriptor?: { readonly uuid: string; readonly name: string; readonly parentUuid?: string }
  readonly trackEvent?: {
    readonly type: string
    readonly trackUuid: string
    readonly nameIid?: string
    readonly flowIds?: string[]
    readonly terminatingFlowIds?: string[]
    readonly debugAnnotations?: { readonly nameIid: string; readonly stringValueIid: string }[]
  }
  readonly internedData?: { readonly eventNames?: { readonly iid: string; readonly name: string }[] }
  readonly sequenceFlags: number
}

async function perfettoOf(name: string): Promise<{ packets: Packet[]; pages: number; slices: number }> {
  const pieces: Uint8Array[] = []
  const references = new PerfettoExport((bytes) => pieces.push(bytes))
  const audit = new Audit({ ranges: rangesOf(name), rules: plainRules, references })
  const result = audit.finish(await pass(fileOf(name), audit.listener))
  const decoded = SCHEMA.toObject(SCHEMA.decode(Buffer.concat(pieces)), { longs: String, enums: String }) as { packet: Packet[] }
  return { packets: decoded.packet, pages: result.pages, slices: references.slices }
}

describe('Perfetto', () => {
  for (const name of ['v5.10/hmm.dat', 'v7.3/dax.dat', 'selftests/v6.1-hmm-leak.dat']) {
    it(`${name}: a track a page, slices that nest, flows from get to put`, async () => {
      const { packets, pages, slices } = await perfettoOf(name)
      const tracks = new Map(packets.flatMap(({ trackDescriptor }) => (trackDescriptor ? [[trackDescriptor.uuid, trackDescriptor]] : [])))
      ok([...tracks.values()].filter(({ parentUuid }) => parentUuid === undefined).length <= pages)
      equal(packets[0].sequenceFlags & 1, 1)
      const names = new Set<string>()
      const open = new Map<string, string>()
      const flows = new Set<string>()
      const last = new Map<string, number>()
      let begun = 0
      let given = 0
      for (const { trackEvent: event, timestamp, internedData } of packets) {
        for (const { iid } of internedData?.eventNames ?? []) names.add(iid)
        if (!event) continue
        const track = tracks.get(event.trackUuid)
        ok(track, 'an event on a track that is not described')
        const time = Number(timestamp)
        ok(time >= (last.get(event.trackUuid) ?? 0), 'time runs backwards on a track')
        last.set(event.trackUuid, time)
        if (event.type === 'TYPE_SLICE_BEGIN') {
          begun++
          ok(!open.has(event.trackUuid), 'two slices of one lane overlap')
          open.set(event.trackUuid, event.flowIds?.[0] ?? '')
          flows.add(event.flowIds?.[0] ?? '')
          ok(names.has(event.nameIid ?? ''), 'a name that was not interned')
          ok(track?.parentUuid !== undefined)
        } else if (event.type === 'TYPE_SLICE_END') ok(open.delete(event.trackUuid), 'an end without a beginning')
        else {
          given++
          ok(flows.delete(event.terminatingFlowIds?.[0] ?? ''), 'a put of a reference that was not taken')
          equal(track?.parentUuid, undefined)
        }
      }
      equal(begun, slices)
      ok(given > 0 && given <= begun)
    })
  }
})

describe('on the command line', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'putpage-test-'))
  after(() => rmSync(scratch, { recursive: true }))
  const putpage = join(packageRoot(), 'build/src/cli/putpage.js')
  const run = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((done) => {
      execFile(process.execPath, [putpage, 'trace', ...args], { timeout: 120_000 }, (error, out, err) => {
        done({ code: error ? (typeof error.code === 'number' ? error.code : 99) : 0, out, err })
      })
    })

  it('--parquet and --perfetto: whole files, every event of a device page', async () => {
    const parquet = join(scratch, 'events.parquet')
    const { code, err } = await run(excerpt('v7.3/dax.dat'), '--parquet', parquet, '--perfetto', join(scratch, 'dax.pftrace'))
    equal(code, 0, err)
    match(err, /wrote .*events\.parquet: 34 events/)
    const bytes = readFileSync(parquet)
    const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) })
    equal(rows.length, 34)
    const life = rows.filter(({ pfn }) => pfn === 0x41819n)
    deepEqual(
      life.map(({ before, after, op }) => [before, after, op]),
      [
        [0, 1, 'page_ref_mod'],
        [1, 2, 'page_ref_mod'],
        [2, 1, 'page_ref_mod_and_test'],
        [1, 2, 'page_ref_mod_unless'],
        [2, 1, 'page_ref_mod_and_test'],
        [1, 0, 'page_ref_mod_and_test'],
      ],
    )
    equal(life[0].function, 'dax_fault_iter')
    match(String(life[0].stack), /^dax_fault_iter < /)
    equal(life[0].ret, null)
    const decoded = SCHEMA.decode(readFileSync(join(scratch, 'dax.pftrace')))
    ok((SCHEMA.toObject(decoded).packet as unknown[]).length > 34)
  })

  it('nothing is left of a file where the trace cannot be read, and an older one stays', async () => {
    const none = join(scratch, 'none.parquet')
    const older = join(scratch, 'older.pftrace')
    writeFileSync(older, 'older')
    const rubbish = join(scratch, 'rubbish')
    writeFileSync(rubbish, 'no trace')
    const { code } = await run(rubbish, '--parquet', none, '--perfetto', older)
    equal(code, 2)
    equal(readFileSync(older, 'utf8'), 'older')
    deepEqual(
      readdirSync(scratch).filter((name) => name.includes('none') || name.includes('.part')),
      [],
    )
    const nowhere = await run(excerpt('v7.3/dax.dat'), '--parquet', join(scratch, 'no', 'such.parquet'))
    equal(nowhere.code, 2)
    match(nowhere.err, /such\.parquet cannot be written: no such file or directory/)
  })

  it('--sql', async (t) => {
    const trace = excerpt('v7.3/dax.dat')
    try {
      await import(['@duckdb', 'node-api'].join('/'))
    } catch {
      const { code, err } = await run(trace, '--sql', 'select 1')
      equal(code, 2)
      match(err, /needs DuckDB.*\n {2}npm install --no-save --prefix \S+ @duckdb\/node-api@/)
      if (process.env.CI) throw new Error('DuckDB is not installed')
      t.skip('DuckDB is not installed')
      return
    }
    const { code, out } = await run(trace, '--sql', "select function, sum(val) as sum from events where page = '0x41819' group by all order by all", '--json')
    equal(code, 0, out)
    const { columns, rows } = JSON.parse(out)
    deepEqual(columns, ['function', 'sum'])
    deepEqual(
      rows.map(([name, sum]: [string, string]) => [name, Number(sum)]),
      [
        ['dax_fault_iter', 0],
        ['folios_put_refs', -1],
        ['insert_page_into_pte_locked', 1],
        ['page_cache_pipe_buf_release', -1],
        ['try_grab_folio_fast', 1],
      ],
    )
    const wrong = await run(trace, '--sql', 'select nothing from events')
    equal(wrong.code, 2)
    match(wrong.err, /nothing/)
    ok(!/^\s+at /m.test(wrong.err))
  })

  it('--diff: the same workload on two kernels, life by life', async () => {
    const [a, b] = [excerpt('v5.10/hmm.dat'), excerpt('v6.1/hmm.dat')]
    const { code, out } = await run(a, b, '--diff')
    equal(code, 0, out)
    match(out, /^8 lives lined up/)
    match(out, /remove_migration_pte .* = .* remove_migration_pte/)
    const diff = JSON.parse((await run(a, b, '--diff', '--json')).out)
    equal(diff.format, 'putpage-trace-diff/1')
    deepEqual(
      diff.groups.map(({ type, lives }: { type: string; lives: number }) => [type, lives]),
      [
        ['private', 4],
        ['private', 4],
      ],
    )
    for (const { a: left, b: right, rows } of diff.groups) {
      equal(rows.filter(([i]: [number | null]) => i !== null).length, left.steps.length)
      equal(rows.filter(([, j]: [unknown, number | null]) => j !== null).length, right.steps.length)
    }
    const itself = JSON.parse((await run(a, a, '--diff', '--json')).out)
    ok(itself.groups.every(({ same }: { same: boolean }) => same))
    equal((await run(a, '--diff')).code, 2)
    equal((await run(a, b)).code, 2)
  })
})
