/**
 * Lines of text traces: who, where, when, what. Three shapes, told apart by the file's beginning:
 *
 *     trace-cmd report      hmmt-86    [000]    26.826173: page_ref_mod:  pfn=0xfcfffff ...      (with -l: hmmt-86  0....  26.826173: ...)
 *     tracefs               hmmt-116   [001] ....    43.180371: page_ref_mod: pfn=0xfcffffc ...
 *                           with -R -l: hmmt-86  0-0x10  26.826173; with --raw-ts and clocks that count no seconds: 26826173169
 *     perf script           hmmt   119 [000]    44.039448:      page_ref:page_ref_mod: pfn=0xfcffff8 ...
 */
import { Context } from '../page-event.ts'

export interface EventLine {
  readonly comm: string
  readonly pid: number
  readonly cpu: number
  /** Bits as `Context`. */
  readonly context: number
  /** Nanoseconds. */
  readonly time: number
  /** The event's name without its system; `<stack trace>` for tracefs' stacks. */
  readonly name: string
  readonly rest: string
}

/** The task's name may hold blanks and '-': it ends at the last '-' with a number before the CPU. */
const FTRACE =
  /^\s*(.*)-(\d+)\s+(?:\(\s*[\d-]+\)\s+)?(?:\[(\d+)\]\s+([^\s\d][^\s]{3,5}\s+)?|(\d+)(-0x[0-9a-f]{1,2}|[.\w]{4,6})\s+)(\d+)(?:\.(\d+))?:\s+(?:\(\+\d+\)\s+)?(<stack trace>|[\w:-]+)(?::\s*|\s*$)(.*)$/
const PERF = /^\s*(\S.*?)\s+(\d+)(?:\/(\d+))?\s+\[(\d+)\]\s+(\d+)\.(\d+):\s+(?:\d+\s+)?([\w-]+):([\w-]+):\s*(.*)$/
/** Stacks of perf recorded without a CPU column. */
const PERF_NO_CPU = /^\s*(\S.*?)\s+(\d+)(?:\/(\d+))?\s+(\d+)\.(\d+):\s+(?:\d+\s+)?([\w-]+):([\w-]+):\s*(.*)$/

/** Reads a line of trace-cmd report or tracefs; undefined if it is no event. */
export function ftraceLine(line: string): EventLine | undefined {
  const match = FTRACE.exec(line)
  if (!match) return undefined
  const flags = match[4] ?? match[6] ?? ''
  return {
    comm: match[1],
    pid: Number(match[2]),
    cpu: Number(match[3] ?? match[5]),
    context: contextOf(flags.trim()),
    time: nanoseconds(match[7], match[8]),
    name: match[9].replace(/:$/, ''),
    rest: match[10],
  }
}

/** Reads a line of perf script. */
export function perfLine(line: string): EventLine | undefined {
  const match = PERF.exec(line)
  if (match) {
    return {
      comm: match[1],
      pid: Number(match[3] ?? match[2]),
      cpu: Number(match[4]),
      context: 0,
      time: nanoseconds(match[5], match[6]),
      name: match[8],
      rest: match[9],
    }
  }
  const without = PERF_NO_CPU.exec(line)
  if (!without) return undefined
  return {
    comm: without[1],
    pid: Number(without[3] ?? without[2]),
    cpu: 0,
    context: 0,
    time: nanoseconds(without[4], without[5]),
    name: without[7],
    rest: without[8],
  }
}

/** The third column of `irqs-off need-resched hardirq/softirq preempt-depth`. Source: trace_print_lat_fmt() in kernel/trace/trace_output.c. */
function contextOf(flags: string): number {
  // The bits themselves: `-0x10`.
  if (flags.startsWith('-')) return Number(flags.slice(1)) & (Context.hardIrq | Context.softIrq | Context.nmi)
  switch (flags[2]) {
    case 'h':
      return 0x08
    case 's':
      return 0x10
    case 'H':
      return 0x18
    case 'Z':
    case 'z':
      return 0x40
    default:
      return 0
  }
}

/** Without a fraction it is the clock's own number: nanoseconds, or what it counts. */
function nanoseconds(seconds: string, fraction: string | undefined): number {
  if (fraction === undefined) return Number(seconds)
  return Number(seconds) * 1e9 + Number(fraction.padEnd(9, '0').slice(0, 9))
}
