/** One concrete run as tracefs text: the page_ref events a kernel with CONFIG_DEBUG_PAGE_REF would write, in their shape. */
import type { Step } from '../engine/verdict.ts'
import type { Node, Program } from '../ir/program.ts'
import { vectorShape } from '../ir/state.ts'
import { type PageView, pageViews } from './pages.ts'
import { valueText } from './values.ts'

const HEADER = `# tracer: nop
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |`

/** The kernel's event for each modelled operation, the most specific first. `set` has no old value to tell. */
const EVENTS: readonly { readonly functions: readonly string[]; readonly event: string; readonly result: 'none' | 'value' | 'zero' | 'taken' }[] = [
  { functions: ['page_ref_sub_and_test', 'page_ref_dec_and_test'], event: 'page_ref_mod_and_test', result: 'zero' },
  { functions: ['page_ref_sub_return', 'page_ref_dec_return'], event: 'page_ref_mod_and_return', result: 'value' },
  { functions: ['page_ref_add_unless'], event: 'page_ref_mod_unless', result: 'taken' },
  { functions: ['page_ref_freeze'], event: 'page_ref_freeze', result: 'taken' },
  { functions: ['page_ref_unfreeze'], event: 'page_ref_unfreeze', result: 'none' },
  { functions: ['set_page_count_one', 'set_page_count_zero'], event: 'page_ref_set', result: 'none' },
]
/** Page frame numbers of a model's pages: devices' where a device may be, each type's together, and ordinary memory's. */
const DEVICE_PFN = 0x40000
const ORDINARY_PFN = 0x1000
/** Frames between two types: each has a range of its own. */
const APART = 0x100
/** Frames of the model's own plumbing, which no kernel stack has. */
const PRIMITIVES = /^(page_ref_|set_page_count_|get_page_checked$)/
/** Numbers of the types in enum memory_type: include/linux/memremap.h. MEMORY_DEVICE_COHERENT came in between with v6.0. */
const TYPES = ['private', 'coherent', 'fsdax', 'generic', 'p2pdma']
const TYPES_BEFORE_V6 = ['private', 'fsdax', 'generic', 'p2pdma']

/**
 * Gives the trace text of a run: an event for each operation on a page's count, with its stack; time is the step number. Which
 * frames are device pages is told by probe events of memremap_pages(), as a recording has them.
 */
export function ftraceText(program: Program, steps: readonly Step[]): string {
  const shape = vectorShape(program)
  const pages = pageViews(program, shape)
  const frames = framesOf(program, pages)
  const release = /^v(\d+\.\d+)$/.exec(program.kernel)?.[1]
  const lines = [...(release === undefined ? [] : [`# os release : ${release}.0`]), HEADER, ...probes(program.kernel, frames)]
  steps.forEach(({ from, transition }, number) => {
    const to = transition.to
    if (to === null) return
    const { nodes } = program.threads[transition.thread]
    for (const [i, page] of pages.entries()) {
      const writer = transition.nodes
        .map((node) => nodes[node])
        .find((node) => node.op === 'store' && node.places.some((place) => program.columns[place.column].field === '_refcount'))
      const attempt = transition.nodes.map((node) => nodes[node]).find((node) => node.at.primitives?.includes('page_ref_add_unless'))
      const changed = from[page.count.at] !== to[page.count.at]
      if (!changed && !(attempt && !writer && pages.length === 1)) continue
      lines.push(...eventLines(program, transition.thread, number, page, frames[i], from, to, (changed ? writer : attempt) ?? nodes[transition.nodes[0]]))
    }
  })
  return `${lines.join('\n')}\n`
}

interface PageFrame {
  readonly pfn: number
  /** `ram`: no device page. */
  readonly type: string
}

function framesOf(program: Program, pages: readonly PageView[]): PageFrame[] {
  const types: string[] = []
  const counts = new Map<string, number>()
  return pages.map((page) => {
    const type = typeOf(program, page.name)
    const before = counts.get(type) ?? 0
    counts.set(type, before + 1)
    if (type === 'ram') return { pfn: ORDINARY_PFN + before, type }
    if (!types.includes(type)) types.push(type)
    return { pfn: DEVICE_PFN + types.indexOf(type) * APART + before, type }
  })
}

/** The page's type, which nothing changes once its memory map is made. */
function typeOf(program: Program, name: string): string {
  const cell = `${name}.type`
  const constant = program.constants?.[cell]
  if (constant !== undefined) return constant
  for (const { cells, display, init } of program.columns) {
    const i = cells.indexOf(cell)
    if (i >= 0 && display.kind === 'enum') return display.members[init[i]]
  }
  return 'ram'
}

/** A probe of memremap_pages() for each type's range. */
function probes(kernel: string, frames: readonly PageFrame[]): string[] {
  const numbers = /^v5\./.test(kernel) ? TYPES_BEFORE_V6 : TYPES
  const types = [...new Set(frames.map(({ type }) => type))].filter((type) => numbers.includes(type))
  return types.map((type, i) => {
    const pfns = frames.filter((frame) => frame.type === type).map(({ pfn }) => pfn)
    const address = (pfn: number): string => (pfn * 4096).toString(16)
    const arguments_ = `pgmap=0x${(0xffff888000001000n + BigInt(i)).toString(16)} nid=0 type=${numbers.indexOf(type) + 1} owner=0x0 nr=1`
    const end = address(Math.max(...pfns)).replace(/000$/, 'fff')
    return `${'setup-99'.padStart(20)} [000] .....    0.900000: kp_memremap: (memremap_pages+0x0/0x400) ${arguments_} start=0x${address(Math.min(...pfns))} end=0x${end}`
  })
}

function eventLines(
  program: Program,
  thread: number,
  number: number,
  page: PageView,
  frame: PageFrame,
  from: Int32Array,
  to: Int32Array,
  node: Node,
): string[] {
  const names = [...node.at.stack.map((frame) => frame.name), ...(node.at.primitives ?? [])]
  const kind = EVENTS.find(({ functions }) => functions.some((name) => names.includes(name)))
  const count = (value: number): number => Number(valueText(page.count.display, value, []))
  const before = count(from[page.count.at])
  const after = count(to[page.count.at])
  const event = kind?.event ?? 'page_ref_mod'
  const stored = event === 'page_ref_set' || event === 'page_ref_unfreeze'
  const value = stored ? after : event === 'page_ref_freeze' ? before : kind?.result === 'taken' ? 1 : after - before
  const result =
    kind?.result === 'value'
      ? ` ret=${after}`
      : kind?.result === 'zero'
        ? ` ret=${after === 0 ? 1 : 0}`
        : kind?.result === 'taken'
          ? ` ret=${after === before ? 0 : 1}`
          : ''
  const task = `${program.threads[thread].name}-${100 + thread}`.padStart(20)
  const head = `${task} [${String(thread % 2).padStart(3, '0')}] .....  ${(1 + number / 1e6).toFixed(6).padStart(10)}: `
  const stack = [...names].reverse().filter((name) => !PRIMITIVES.test(name))
  return [
    `${head}${event}: pfn=0x${frame.pfn.toString(16)} flags=${frame.type === 'ram' ? 'uptodate' : 'reserved'} count=${after} mapcount=0 mapping=0000000000000000 mt=1 val=${value}${result}`,
    `${head}<stack trace>`,
    ` => __${event}`,
    ...stack.map((name) => ` => ${name}`),
  ]
}
