/** Workloads made up: pages whose counts go as the operations have it, told as the text of trace-cmd report. */
import { memoryFile } from '../../src/trace/byte-file.ts'
import type { DeviceRange } from '../../src/trace/life.ts'
import type { OP_NAMES } from '../../src/trace/page-event.ts'
import { auditOf } from './in-process.ts'

type Operation = (typeof OP_NAMES)[number] extends `page_ref_${infer name}` ? name : never

export interface MadePage {
  readonly pfn: number
  count: number
  mapcount: number
}

export const SYSCALL = ['x64_sys_call', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe']
export const FAULT = ['__handle_mm_fault', 'handle_mm_fault', 'do_user_addr_fault', 'exc_page_fault', 'asm_exc_page_fault']
export const FSDAX: readonly DeviceRange[] = [{ start: 0x40000, end: 0x5ffff, type: 'fsdax', from: 'option', name: undefined }]

export class Workload {
  private readonly lines: string[] = ['cpus=2']
  /** Nanoseconds. */
  private time = 10_000_000_000

  wait(ns: number): void {
    this.time += ns
  }

  /** An operation on a page, five microseconds after the last. `pid` 0: in a softirq. */
  does(page: MadePage, operation: Operation, val: number, stack: readonly string[], more: { readonly pid?: number; readonly mapcount?: number } = {}): void {
    this.time += 5000
    const free = page.count === 0
    if (operation === 'set') page.count = val
    else if (operation !== 'mod_unless' || !free) page.count += val
    page.mapcount = more.mapcount ?? page.mapcount
    const ret = { mod_and_test: page.count === 0 ? 1 : 0, mod_and_return: page.count, mod_unless: free ? 0 : 1 }[operation as string]
    const head = `            work-${more.pid ?? 100} [000] ${(this.time / 1e9).toFixed(9)}: `
    this.lines.push(
      `${head}page_ref_${operation}: pfn=0x${page.pfn.toString(16)} flags=0x2000 count=${page.count} mapcount=${page.mapcount} mapping=0xffff888000e9c298 mt=1 val=${val}${ret === undefined ? '' : ` ret=${ret}`}`,
      `${head}kernel_stack: <stack trace >`,
      ...[`__page_ref_${operation}`, ...stack].map((name) => `=> ${name} (ffffffff81000000)`),
    )
  }

  audit(ranges: readonly DeviceRange[] = FSDAX): ReturnType<typeof auditOf> {
    return auditOf(memoryFile(new TextEncoder().encode(`${this.lines.join('\n')}\n`), 'made.txt'), ranges)
  }
}

export function pages(number: number, count: number, mapcount = 0): MadePage[] {
  return Array.from({ length: number }, (_, i) => ({ pfn: 0x40000 + i, count, mapcount }))
}
