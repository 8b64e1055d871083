/** Addresses to function names, from the text of /proc/kallsyms. */
import type { Frame } from './source.ts'

/**
 * Addresses as doubles: the low 48 bits, which tell all kernel addresses of one machine apart (the rest is the sign). Exact.
 */
function key(low: number, high: number): number {
  return (high & 0xffff) * 4294967296 + low
}

/** Finds the function an address is in. Built from the text once; names are taken out of it when they are asked for. */
export class Symbols {
  private readonly text: Uint8Array
  /** Sorted addresses, and where in the text the name of each begins. */
  private readonly addresses: Float64Array
  private readonly names: Uint32Array
  /** Frames of addresses that were asked for, by upper and lower half. */
  private readonly known = new Map<number, Map<number, Frame>>()

  constructor(kallsyms: Uint8Array) {
    this.text = kallsyms
    const found = scan(kallsyms)
    this.addresses = found.addresses
    this.names = found.names
  }

  /** How many functions have an address. */
  get size(): number {
    return this.addresses.length
  }

  /** The text it was made from. */
  get source(): Uint8Array {
    return this.text
  }

  /** A frame that is only a number with its name, if one is known. */
  named(frame: Frame): Frame {
    if (!/^0x[0-9a-f]{1,16}$/.test(frame.name)) return frame
    const address = BigInt(frame.name)
    return this.frame(Number(address & 0xffffffffn), Number(address >> 32n))
  }

  /** The frame of an address given as two words. An address no symbol covers is named by its number. */
  frame(low: number, high: number): Frame {
    let known = this.known.get(high)
    if (!known) {
      known = new Map()
      this.known.set(high, known)
    }
    let frame = known.get(low)
    if (!frame) {
      frame = this.find(low, high)
      known.set(low, frame)
    }
    return frame
  }

  private find(low: number, high: number): Frame {
    const text = `0x${high === 0 ? '' : high.toString(16)}${high === 0 ? low.toString(16) : low.toString(16).padStart(8, '0')}`
    const address = BigInt(text)
    const at = key(low, high)
    const { addresses } = this
    let from = 0
    let to = addresses.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (addresses[middle] <= at) from = middle + 1
      else to = middle
    }
    // A return address far from any symbol is not in it: the largest kernel functions have some ten kilobytes.
    if (from === 0 || at - addresses[from - 1] > 1 << 20) return { name: text, address, module: undefined }
    return { ...this.nameAt(this.names[from - 1]), address }
  }

  private nameAt(start: number): { name: string; module: string | undefined } {
    const { text } = this
    let end = start
    while (end < text.length && text[end] !== 10) end++
    const line = String.fromCharCode(...text.subarray(start, end))
    const match = /^(\S+)(?:\s+\[(.*)\])?/.exec(line)
    return { name: match?.[1] ?? line, module: match?.[2] }
  }
}

/** Finds the text symbols: `ffffffff81000000 T _stext`, with `\t[module]` behind it for modules. */
function scan(text: Uint8Array): { addresses: Float64Array; names: Uint32Array } {
  let addresses = new Float64Array(Math.ceil(text.length / 24) + 1)
  let names = new Uint32Array(addresses.length)
  let count = 0
  let sorted = true
  let at = 0
  const { length } = text
  while (at < length) {
    let low = 0
    let high = 0
    let digits = 0
    for (; at < length; at++) {
      const c = text[at]
      const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : -1
      if (digit < 0) break
      high = (high << 4) | (low >>> 28)
      low = (low << 4) | digit
      digits++
    }
    const type = text[at + 1]
    // t T: code; w W: weak code.
    const code = type === 116 || type === 84 || type === 119 || type === 87
    if (digits > 0 && text[at] === 32 && text[at + 2] === 32 && code && (low | high) !== 0 && count < addresses.length) {
      const address = key(low >>> 0, high >>> 0)
      if (count > 0 && addresses[count - 1] > address) sorted = false
      addresses[count] = address
      names[count] = at + 3
      count++
    }
    at = text.indexOf(10, at) + 1
    if (at === 0) break
  }
  addresses = addresses.subarray(0, count)
  names = names.subarray(0, count)
  if (sorted) return { addresses, names }
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => addresses[a] - addresses[b] || a - b)
  return { addresses: Float64Array.from(order, (i) => addresses[i]), names: Uint32Array.from(order, (i) => names[i]) }
}
