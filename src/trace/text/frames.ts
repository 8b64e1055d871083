/** Stack frames of text traces. */
import type { Frame } from '../source.ts'

const FTRACE = /^\s*=> (\S+?)(?:\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)?(?: <([0-9a-f]+)>)?(?: \[(\w+)\])?(?: \((?:0x)?([0-9a-f]+)\))?\s*$/
const PERF = /^\s+([0-9a-f]+) (\S+?)(?:\+0x[0-9a-f]+)? \((.*)\)\s*$/
/** Where perf has the file a module's functions were read from. */
const MODULE_FILE = /([^/]+)\.ko(?:\.\w+)?$/

/** `=> put_page (ffffffff81123456)`; undefined if the line is no frame, or pads a stack. */
export function ftraceFrame(line: string): Frame | undefined {
  const match = FTRACE.exec(line)
  if (!match || match[1] === '0x0' || match[1] === '0') return undefined
  const address = match[4] ?? match[2]
  return { name: match[1], address: address === undefined ? 0n : BigInt(`0x${address}`), module: match[3] }
}

/** `ffffffff811bf174 __page_ref_mod+0x44 ([kernel.kallsyms])`; user frames give undefined. */
export function perfFrame(line: string): Frame | undefined {
  const match = PERF.exec(line)
  if (!match) return undefined
  const where = match[3]
  // The kernel lies in the upper half of all addresses, whatever file its names are from. Functions that were inlined are no frames to ftrace.
  const upper = /^[89a-f][0-9a-f]{15}$/.test(match[1]) && where !== 'inlined' && where !== '[vsyscall]'
  // Where addresses do not tell: the kernel and its modules stand in brackets; so do vdso and what perf does not know.
  if (!upper && (!/^\[.*\]$/.test(where) || /^\[(vdso|vsyscall|unknown|heap|stack|anon)/.test(where))) return undefined
  const named = /^\[(?!kernel\.|guest\.kernel|unknown)(.*)\]$/.exec(where) ?? MODULE_FILE.exec(where)
  const module = named?.[1]
  return { name: match[2] === '[unknown]' ? `0x${match[1]}` : match[2], address: BigInt(`0x${match[1]}`), module }
}

/** `size=6 caller=ARRAY[74, f1, ...]`: the stack as raw bytes, more of them than it has frames. */
export function rawFrames(text: string, little: boolean): Frame[] | undefined {
  const match = /^size=(\d+) caller=ARRAY\[([0-9a-f, ]*)\]/.exec(text)
  if (!match) return undefined
  const bytes = match[2].split(',').map((byte) => Number.parseInt(byte.trim(), 16))
  const frames: Frame[] = []
  for (let i = 0; i < Number(match[1]) && (i + 1) * 8 <= bytes.length; i++) {
    let address = 0n
    for (let k = 0; k < 8; k++) address |= BigInt(bytes[i * 8 + k] & 255) << BigInt(8 * (little ? k : 7 - k))
    if (address === 0xffffffffffffffffn) break
    frames.push({ name: `0x${address.toString(16)}`, address, module: undefined })
  }
  return frames
}
