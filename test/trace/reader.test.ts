/** The binary reader: what real files hold, and that every variant of the format says the same. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { memoryFile } from '../../src/trace/byte-file.ts'
import { eventAt, OP_NAMES, type PageEvent } from '../../src/trace/page-event.ts'
import type { Loss, RangeEvent } from '../../src/trace/source.ts'
import { writeDat6, writeDat7 } from './dat-file.ts'
import { fileOf, pass, rowsOf } from './in-process.ts'
import { FUNCTIONS, type MadeEvent, pagesOf, partsOf, type Shape } from './synthetic.ts'

describe('trace.dat of real kernels', () => {
  // Counted with trace-cmd report.
  const files: readonly [string, number, string, string, boolean][] = [
    ['v5.10/hmm.dat', 40, '5.10.223', 'global', true],
    ['v5.10/hmm.v6.dat', 40, '5.10.223', 'global', true],
    ['v6.1/dax.dat', 2, '6.1.192', 'global', true],
    ['v7.3/dax.dat', 34, '7.3.4', 'local', false],
    ['selftests/v5.10-xfs-dio.dat', 250, '5.10.223', 'global', true],
    ['selftests/v6.1-xfs-lost-wake.dat', 1080, '6.1.192', 'global', true],
    ['selftests/v7.3-ext4-dio.dat', 2033, '7.3.4', 'local', false],
  ]
  for (const [name, events, release, clock, comparable] of files) {
    it(`${name}: ${events} events, each with its stack`, async () => {
      const { head, summary, rows } = await rowsOf(fileOf(name))
      equal(summary.events, events)
      equal(rows.length, events)
      equal(head.release, release)
      equal(head.clock, clock)
      equal(head.comparable, comparable)
      ok(summary.end.complete)
      equal(rows.filter(({ stack }) => stack === 0).length, 0)
    })
  }

  it('version 6 and 7 of one recording are the same events and stacks', async () => {
    const six = await rowsOf(fileOf('v5.10/hmm.v6.dat'))
    const seven = await rowsOf(fileOf('v5.10/hmm.dat'))
    deepEqual(six.rows, seven.rows)
    for (const { stack } of six.rows) deepEqual(six.tables.stack(stack), seven.tables.stack(stack))
  })

  it('a first event is read to the last field', async () => {
    const { rows, tables } = await rowsOf(fileOf('selftests/v5.10-xfs-dio.dat'))
    const [first] = rows
    equal(OP_NAMES[first.op], 'page_ref_mod')
    deepEqual({ ...first, stack: 0 }, {
      op: 1,
      pfn: 0x4001b,
      count: 2,
      mapcount: 0,
      mapping: 0xffff888000d38650n,
      flags: 0xc000000000001000n,
      mt: 1,
      val: 1,
      ret: 0,
      time: 15559969289,
      cpu: 0,
      pid: 77,
      context: 0,
      stack: 0,
    } satisfies PageEvent)
    deepEqual(tables.siteFrames(tables.site(first.stack)).slice(0, 3), ['try_grab_page', 'follow_page_pte', 'follow_page_mask'])
    equal(tables.comm(77), 'daxwork')
  })

  it('what the kernel counted and the recorder did not write is told', async () => {
    const { summary } = await rowsOf(fileOf('selftests/v6.1-xfs-lost-wake.dat'))
    deepEqual(summary.absent, [{ cpu: 0, absent: 4, counted: 1168 }])
    deepEqual((await rowsOf(fileOf('selftests/v5.10-xfs-dio.dat'))).summary.absent, [])
  })

  it('probes on memremap_pages tell the ranges', async () => {
    const ranges: RangeEvent[] = []
    await pass(fileOf('v5.10/load.dat'), { events() {}, range: (event) => ranges.push(event) })
    deepEqual(ranges, [{ time: 5330065578, kind: 'map', pgmap: 0xffff8880064ae180n, start: 0xfcf0000, end: 0xfcfffff, type: 1 }])
  })

  it('the frames of what a softirq interrupted are no part of the call site', async () => {
    const { rows, tables } = await rowsOf(fileOf('selftests/v6.1-xfs-lost-wake.dat'))
    const inSoftirq = rows.filter(({ context }) => (context & 0x10) !== 0)
    ok(inSoftirq.length > 100)
    const sites = new Set(inSoftirq.map(({ stack }) => tables.site(stack)))
    equal(sites.size, 1, [...sites].map((site) => tables.siteFrames(site).join(' < ')).join('\n'))
  })
})

const anEvent = (shape: Shape): fc.Arbitrary<Omit<MadeEvent, 'time'> & { readonly gap: number }> =>
  fc.record({
    op: fc.integer({ min: 0, max: 6 }),
    pfn: fc.oneof(fc.integer({ min: 0, max: 0xffffff }), fc.constant(shape.long === 8 ? 0xfcfffffff : 0xfffff)),
    flags: shape.long === 8 ? fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }) : fc.bigInt({ min: 0n, max: 0xffffffffn }),
    count: fc.integer({ min: -2, max: 3000 }),
    val: fc.integer({ min: -1024, max: 1024 }),
    ret: fc.integer({ min: 0, max: 1 }),
    gap: fc.oneof(fc.integer({ min: 2, max: 5000 }), fc.integer({ min: 2 ** 27, max: 2 ** 31 })),
    cpu: fc.integer({ min: 0, max: 3 }),
    pid: fc.constantFrom(0, 7, 8),
    context: fc.constantFrom(0, 8, 16, 64),
    stack: fc.array(fc.integer({ min: 1, max: FUNCTIONS.length - 1 }), { maxLength: 40 }).map((fns) => (fns.length === 0 ? [] : [0, ...fns])),
  })

const aShape: fc.Arbitrary<Shape> = fc.record({
  little: fc.boolean(),
  long: fc.constantFrom(4 as const, 8 as const),
  pageSize: fc.constantFrom(4096, 16384),
})

function timed(events: readonly (Omit<MadeEvent, 'time'> & { readonly gap: number })[]): MadeEvent[] {
  let time = 1_000_000_000
  return events.map(({ gap, ...event }) => {
    time += gap
    return { ...event, time, ret: event.op >= 2 && event.op <= 5 ? event.ret : 0 }
  })
}

describe('trace.dat made up', () => {
  it('whatever is written is read again: both versions, both byte orders, 32 and 64 bits, zlib or not, several CPUs and buffers', async () => {
    await fc.assert(
      fc.asyncProperty(
        aShape.chain((shape) => fc.tuple(fc.constant(shape), fc.array(anEvent(shape), { minLength: 1, maxLength: 120 }))),
        fc.constantFrom('6', 'none', 'zlib'),
        fc.boolean(),
        async ([shape, made], how, inInstance) => {
          const events = timed(made)
          const data = { name: inInstance ? 'mine' : '', clock: 'global', pageSize: shape.pageSize, cpus: pagesOf(events, shape) }
          const buffers = inInstance ? [{ ...data, name: '', cpus: [] }, data] : [data]
          const parts = partsOf(shape, '6.1.0')
          const bytes = how === '6' ? writeDat6(parts, buffers, shape.little) : writeDat7(parts, buffers, how as 'none' | 'zlib', shape.little)
          const read: PageEvent[] = []
          const stacks: string[][] = []
          const summary = await pass(memoryFile(bytes, 'made'), {
            events(batch, tables) {
              for (let row = 0; row < batch.length; row++) {
                read.push(eventAt(batch, row))
                stacks.push(tables.stack(batch.stack[row]).map(({ name }) => name))
              }
            },
          })
          ok(summary.end.complete, summary.end.complete ? '' : summary.end.why)
          equal(read.length, events.length)
          read.forEach((event, i) => {
            const { stack, ...expected } = events[i]
            deepEqual({ ...event, stack: 0 }, { ...expected, mapcount: 0, mapping: 0n, mt: 1, stack: 0 })
            deepEqual(
              stacks[i],
              stack.slice(1).map((fn) => FUNCTIONS[fn]),
            )
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('lost events are told where they were lost', async () => {
    const shape: Shape = { little: true, long: 8, pageSize: 4096 }
    const events = timed(
      Array.from({ length: 200 }, (_, i) => ({
        op: 1,
        pfn: 100 + i,
        flags: 0n,
        count: 1,
        val: 1,
        ret: 0,
        gap: 100,
        cpu: 0,
        pid: 7,
        context: 0,
        stack: [0, 1, 6],
      })),
    )
    const data = { name: '', clock: 'global', pageSize: 4096, cpus: pagesOf(events, shape, new Set([2])) }
    const losses: Loss[] = []
    const summary = await pass(memoryFile(writeDat7(partsOf(shape, '6.1.0'), [data], 'none'), 'made'), { events() {}, lost: (loss) => losses.push(loss) })
    equal(losses.length, 1)
    ok(summary.lossUnknown)
    ok(losses[0].after < losses[0].before)
  })

  it('a CPU of which nothing was written is a loss; what is noted of another buffer is not', async () => {
    const shape: Shape = { little: true, long: 8, pageSize: 4096 }
    const events = timed([0, 1].map((cpu) => ({ op: 1, pfn: 100, flags: 0n, count: 1, val: 1, ret: 0, gap: 100, cpu, pid: 7, context: 0, stack: [0, 1, 6] })))
    const text = (words: string): Uint8Array => new TextEncoder().encode(words)
    const stat = (cpu: number): { id: number; data: Uint8Array } => ({ id: 2, data: text(`CPU: ${cpu}\nentries: 1\noverrun: 0\nread events: 1\n`) })
    const read = async (options: readonly { id: number; data: Uint8Array }[]): Promise<{ losses: Loss[]; lost: number }> => {
      const data = { name: '', clock: 'global', pageSize: 4096, cpus: pagesOf(events, shape).filter(({ cpu }) => cpu === 0) }
      const losses: Loss[] = []
      const parts = { ...partsOf(shape, '6.1.0'), options }
      const { lost } = await pass(memoryFile(writeDat7(parts, [data], 'none'), 'made'), { events() {}, lost: (loss) => losses.push(loss) })
      return { losses, lost }
    }
    deepEqual(await read([stat(0), stat(1)]), {
      losses: [{ cpu: 1, after: Number.NEGATIVE_INFINITY, before: Number.POSITIVE_INFINITY, events: 2 }],
      lost: 2,
    })
    deepEqual(await read([stat(0), { id: 2, data: text('\nBuffer: mine\n\n') }, stat(1)]), { losses: [], lost: 0 })
  })

  it('a file without an event says so', async () => {
    const shape: Shape = { little: true, long: 8, pageSize: 4096 }
    const parts = { ...partsOf(shape, '6.1.0'), systems: [] }
    await rejects(
      () => pass(memoryFile(writeDat7(parts, [{ name: '', clock: 'global', pageSize: 4096, cpus: [] }], 'none'), 'made'), { events() {} }),
      /no page_ref events/,
    )
  })
})
