/** Recordings made up: events with stacks, written as ring-buffer pages of any kernel. */
import { Bytes, type DatData, type DatParts } from './dat-file.ts'

export interface MadeEvent {
  readonly op: number
  readonly pfn: number
  readonly flags: bigint
  readonly count: number
  readonly val: number
  readonly ret: number
  /** Nanoseconds. */
  readonly time: number
  readonly cpu: number
  readonly pid: number
  readonly context: number
  /** Indexes of `FUNCTIONS`, innermost first. */
  readonly stack: readonly number[]
}

export interface Shape {
  readonly little: boolean
  readonly long: 4 | 8
  readonly pageSize: number
}

export const FUNCTIONS = [
  '__page_ref_mod',
  'take_one',
  'take_two',
  'give_one',
  'give_two',
  'in_between',
  '__x64_sys_ioctl',
  'do_syscall_64',
  'entry_SYSCALL_64_after_hwframe',
]
const NAMES = [
  'page_ref_set',
  'page_ref_mod',
  'page_ref_mod_and_test',
  'page_ref_mod_and_return',
  'page_ref_mod_unless',
  'page_ref_freeze',
  'page_ref_unfreeze',
]
const FIRST_ID = 300
const STACK_ID = 4

function addressOf(fn: number, long: 4 | 8): bigint {
  return (long === 8 ? 0xffffffff81000000n : 0x81000000n) + BigInt(fn * 256)
}

/** Formats, symbols and the rest of a head. Events that report no result have no field `ret`, as the kernel's. */
export function partsOf(shape: Shape, release: string): DatParts {
  const { long } = shape
  const common =
    '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n'
  const field = (type: string, name: string, at: number, size: number): string =>
    `\tfield:${type} ${name};\toffset:${at};\tsize:${size};\tsigned:${type === 'int' ? 1 : 0};\n`
  const at = offsets(long)
  const events = NAMES.map((name, op) => {
    const fields =
      field('unsigned long', 'pfn', at.pfn, long) +
      field('unsigned long', 'flags', at.flags, long) +
      field('int', 'count', at.count, 4) +
      field('int', 'mapcount', at.mapcount, 4) +
      field('void *', 'mapping', at.mapping, long) +
      field('int', 'mt', at.mt, 4) +
      field('int', 'val', at.val, 4) +
      (op >= 2 && op <= 5 ? field('int', 'ret', at.ret, 4) : '')
    return `name: ${name}\nID: ${FIRST_ID + op}\nformat:\n${common}${fields}\nprint fmt: ""\n`
  })
  const stack = `name: kernel_stack\nID: ${STACK_ID}\nformat:\n${common}\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n\tfield:unsigned long caller[8];\toffset:${long === 8 ? 16 : 12};\tsize:${8 * long};\tsigned:0;\n\nprint fmt: ""\n`
  const text = new TextEncoder()
  return {
    headerPage: `\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t commit;\toffset:8;\tsize:${long};\tsigned:1;\n\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\tfield: char data;\toffset:${8 + long};\tsize:${shape.pageSize - 8 - long};\tsigned:1;\n`,
    headerEvent: '# compressed entry header\n',
    ftrace: [stack],
    systems: [{ name: 'page_ref', events }],
    kallsyms: FUNCTIONS.map(
      (name, fn) =>
        `${addressOf(fn, long)
          .toString(16)
          .padStart(long * 2, '0')} T ${name}\n`,
    ).join(''),
    cmdlines: '7 maker\n8 other maker\n',
    options: [
      { id: 5, data: text.encode(`Linux made ${release} x86_64`) },
      ...[0, 1, 2, 3].map((cpu) => ({
        id: 2,
        data: text.encode(`CPU: ${cpu}\nentries: 0\noverrun: 0\ncommit overrun: 0\nnow ts: 9999.000000\ndropped events: 0\n`),
      })),
    ],
  }
}

function offsets(long: 4 | 8): Record<'pfn' | 'flags' | 'count' | 'mapcount' | 'mapping' | 'mt' | 'val' | 'ret', number> {
  const pfn = 8
  const flags = pfn + long
  const count = flags + long
  const mapping = count + 8
  const mt = mapping + long
  return { pfn, flags, count, mapcount: count + 4, mapping, mt, val: mt + 4, ret: mt + 8 }
}

/** The pages of each CPU. `lostBefore`: numbers of pages of CPU 0 before which events were lost. */
export function pagesOf(events: readonly MadeEvent[], shape: Shape, lostBefore: ReadonlySet<number> = new Set()): DatData['cpus'] {
  const cpus = [...new Set(events.map(({ cpu }) => cpu))].sort((a, b) => a - b)
  return cpus.map((cpu) => ({
    cpu,
    pages: pagesOfCpu(
      events.filter((event) => event.cpu === cpu),
      shape,
      cpu === 0 ? lostBefore : new Set(),
    ),
  }))
}

function pagesOfCpu(events: readonly MadeEvent[], shape: Shape, lostBefore: ReadonlySet<number>): Uint8Array {
  const { little, long, pageSize } = shape
  const room = pageSize - 8 - long
  const pages = new Bytes(little)
  let page = new Bytes(little)
  let began = 0
  let last = 0
  let number = 0
  const close = (): void => {
    if (page.length === 0) return
    pages.u64(BigInt(began))
    const lost = lostBefore.has(number++) ? 0x80000000 : 0
    const commit = (page.length | lost) >>> 0
    if (long === 8) pages.u64(BigInt(commit))
    else pages.u32(commit)
    pages.raw(page.bytes()).align(pageSize)
    page = new Bytes(little)
  }
  const record = (time: number, body: Uint8Array): void => {
    const size = body.length > 112 ? 8 + body.length : 4 + body.length
    if (page.length > 0 && page.length + size + 8 > room) close()
    if (page.length === 0) {
      began = time
      last = time
    }
    let delta = time - last
    if (delta >= 2 ** 27) {
      word(page, 30, delta % 2 ** 27)
      page.u32(Math.floor(delta / 2 ** 27))
      delta = 0
    }
    last = time
    if (body.length > 112) {
      word(page, 0, delta)
      page.u32(body.length + 4)
    } else word(page, body.length / 4, delta)
    page.raw(body)
  }
  const word = (to: Bytes, type: number, delta: number): void => {
    to.u32((little ? type + delta * 32 : type * 2 ** 27 + delta) >>> 0)
  }
  for (const event of events) {
    record(event.time, eventBody(event, shape))
    if (event.stack.length > 0) record(event.time + 1, stackBody(event, shape))
  }
  close()
  return pages.bytes()
}

function eventBody(event: MadeEvent, { little, long }: Shape): Uint8Array {
  const body = new Bytes(little)
    .u16(FIRST_ID + event.op)
    .u8(event.context)
    .u8(0)
    .i32(event.pid)
  const wide = (value: bigint): void => {
    if (long === 8) body.u64(value)
    else body.u32(Number(value & 0xffffffffn))
  }
  wide(BigInt(event.pfn))
  wide(event.flags)
  body.i32(event.count).i32(0)
  wide(0n)
  body.i32(1).i32(event.val)
  if (event.op >= 2 && event.op <= 5) body.i32(event.ret)
  return body.align(4).bytes()
}

/** As the kernel writes it: longer than its format says, and padded where a long is wider than the size field. */
function stackBody(event: MadeEvent, { little, long }: Shape): Uint8Array {
  const body = new Bytes(little).u16(STACK_ID).u8(event.context).u8(0).i32(event.pid).i32(event.stack.length)
  if (long === 8) body.u32(0)
  for (const fn of event.stack) {
    const address = addressOf(fn, long) + 16n
    if (long === 8) body.u64(address)
    else body.u32(Number(address))
  }
  return body.align(4).bytes()
}
