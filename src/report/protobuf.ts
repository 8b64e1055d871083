/** Writes protobuf messages, as far as an export needs them. Source: protobuf.dev, "Encoding". */

/** Bytes that grow. Fields may come in any order; a message within a message is written first, and copied in. */
export class ProtoWriter {
  private bytes: Uint8Array<ArrayBuffer>
  private view: DataView
  length = 0

  constructor(size = 256) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Begins anew with the same memory. */
  clear(): this {
    this.length = 0
    return this
  }

  /** What was written; the writer's own memory. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length)
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return
    const bigger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + bytes))
    bigger.set(this.bytes.subarray(0, this.length))
    this.bytes = bigger
    this.view = new DataView(bigger.buffer)
  }

  /** A number from 0 to 2^53 - 1. */
  private varint(value: number): void {
    this.room(8)
    let left = value
    while (left >= 128) {
      this.bytes[this.length++] = (left % 128) | 128
      left = Math.floor(left / 128)
    }
    this.bytes[this.length++] = left
  }

  /** uint32, uint64, bool, enum: 0 to 2^53 - 1. */
  uint(field: number, value: number): this {
    this.varint(field * 8)
    this.varint(value)
    return this
  }

  /** fixed64: 0 to 2^53 - 1. */
  fixed64(field: number, value: number): this {
    this.varint(field * 8 + 1)
    this.room(8)
    this.view.setUint32(this.length, value % 4294967296, true)
    this.view.setUint32(this.length + 4, Math.floor(value / 4294967296), true)
    this.length += 8
    return this
  }

  string(field: number, text: string): this {
    return this.raw(field, new TextEncoder().encode(text))
  }

  message(field: number, inner: ProtoWriter): this {
    return this.raw(field, inner.written())
  }

  private raw(field: number, content: Uint8Array): this {
    this.varint(field * 8 + 2)
    this.varint(content.length)
    this.room(content.length)
    this.bytes.set(content, this.length)
    this.length += content.length
    return this
  }
}
