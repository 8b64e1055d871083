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
  { functions: ['set_page_count_one', 'set_page_count_zero'], event: 'page_ref_set', result: 'none' },
]
/** Page frame number of the first page of a model; real ones begin wherever the device is. */
const FIRST_PFN = 0x40000
/** Frames of the model's own plumbing, which no kernel stack has. */
const PRIMITIVES = /^(page_ref_|set_page_count_|get_page_checked$)/

/** Gives the trace text of a run: an event for each operation on a page's count, with its stack; time is the step number. */
export function ftraceText(program: Program, steps: readonly Step[]): string {
  const shape = vectorShape(program)
  const pages = pageViews(program, shape)
  const lines = [HEADER]
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
      lines.push(...eventLines(program, transition.thread, number, page, i, from, to, (changed ? writer : attempt) ?? nodes[transition.nodes[0]]))
    }
  })
  return `${lines.join('\n')}\n`
}

function eventLines(program: Program, thread: number, number: number, page: PageView, index: number, from: Int32Array, to: Int32Array, node: Node): string[] {
  const names = [...node.at.stack.map((frame) => frame.name), ...(node.at.primitives ?? [])]
  const kind = EVENTS.find(({ functions }) => functions.some((name) => names.includes(name)))
  const count = (value: number): number => Number(valueText(page.count.display, value, []))
  const before = count(from[page.count.at])
  const after = count(to[page.count.at])
  const event = kind?.event ?? 'page_ref_mod'
  const value = event === 'page_ref_set' ? after : kind?.result === 'taken' ? 1 : after - before
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
  const pfn = (FIRST_PFN + index).toString(16)
  const stack = [...names].reverse().filter((name) => !PRIMITIVES.test(name))
  return [
    `${head}${event}: pfn=0x${pfn} flags=reserved count=${after} mapcount=0 mapping=0000000000000000 mt=1 val=${value}${result}`,
    `${head}<stack trace>`,
    ` => __${event}`,
    ...stack.map((name) => ` => ${name}`),
  ]
}
