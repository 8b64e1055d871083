/** Numbers and strings of a trace.dat, one after the other, with every length checked. */
import { Cut } from '../byte-file.ts'

const LATIN1 = new TextDecoder('latin1')

/** Reads forward over bytes; throws `Cut` with the file's offset where they end. */
export class Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Offset of `bytes[0]` in the file, for messages. */
  readonly base: number
  readonly little: boolean
  at = 0

  constructor(bytes: Uint8Array, little: boolean, base: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.little = little
    this.base = base
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  /** The offset in the file. */
  get offset(): number {
    return this.base + this.at
  }

  private need(bytes: number): number {
    if (bytes < 0 || bytes > this.left) throw new Cut(this.offset, `${bytes} bytes are needed at byte ${this.offset}, ${this.left} are there`)
    const at = this.at
    this.at += bytes
    return at
  }

  u8(): number {
    return this.bytes[this.need(1)]
  }

  u16(): number {
    return this.view.getUint16(this.need(2), this.little)
  }

  u32(): number {
    return this.view.getUint32(this.need(4), this.little)
  }

  /** A 64-bit number that must be an offset or a size; larger than 2^53 is damage. */
  u64(): number {
    const value = Number(this.view.getBigUint64(this.need(8), this.little))
    if (!Number.isSafeInteger(value)) throw new Cut(this.offset - 8, `the number at byte ${this.offset - 8} makes no sense as a size or an offset`)
    return value
  }

  big64(): bigint {
    return this.view.getBigUint64(this.need(8), this.little)
  }

  take(length: number): Uint8Array {
    const at = this.need(length)
    return this.bytes.subarray(at, at + length)
  }

  text(length: number): string {
    return LATIN1.decode(this.take(length)).replace(/\0+$/, '')
  }

  /** A string that ends with a zero byte. */
  cstr(): string {
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0) throw new Cut(this.offset, `a text at byte ${this.offset} does not end`)
    const text = LATIN1.decode(this.bytes.subarray(this.at, end))
    this.at = end + 1
    return text
  }
}

export function latin1(bytes: Uint8Array): string {
  return LATIN1.decode(bytes)
}
