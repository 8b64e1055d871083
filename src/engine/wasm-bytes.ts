/** The bytes of a WebAssembly module as they are written: numbers, and parts that begin with their length. */

/** A length is written before what it counts is known, in as many bytes as the longest takes. */
const LENGTH_BYTES = 5

export class WasmBytes {
  private bytes = new Uint8Array(1 << 12)
  private at = 0

  byte(value: number): void {
    if (this.at === this.bytes.length) this.grow(1)
    this.bytes[this.at++] = value
  }

  /** Several bytes as they are. */
  raw(...values: readonly number[]): void {
    for (const value of values) this.byte(value)
  }

  /** LEB128. */
  unsigned(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80)
    this.byte(rest)
  }

  /** Signed LEB128 of 32 bits. */
  signed(value: number): void {
    for (let rest = value | 0; ; rest >>= 7) {
      const byte = rest & 0x7f
      if ((rest >> 6 === 0 && byte < 0x40) || (rest >> 6 === -1 && byte >= 0x40)) {
        this.byte(byte)
        return
      }
      this.byte(byte | 0x80)
    }
  }

  name(text: string): void {
    this.unsigned(text.length)
    for (const char of text) this.byte(char.charCodeAt(0))
  }

  /** What `write` writes, with its length before it. */
  sized(write: () => void): void {
    while (this.at + LENGTH_BYTES > this.bytes.length) this.grow(LENGTH_BYTES)
    const start = this.at
    this.at += LENGTH_BYTES
    write()
    let length = this.at - start - LENGTH_BYTES
    for (let i = 0; i < LENGTH_BYTES; i++, length >>>= 7) this.bytes[start + i] = (length & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0)
  }

  /** How many there are, then each. */
  vector<T>(items: readonly T[], write: (item: T) => void): void {
    this.unsigned(items.length)
    for (const item of items) write(item)
  }

  /** All that was written. */
  done(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.at)
  }

  private grow(room: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + room))
    larger.set(this.bytes)
    this.bytes = larger
  }
}
