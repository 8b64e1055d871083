/** Zstandard, by the reference decoder as WebAssembly: runs wherever the readers do. */
import { ZSTDDecoder } from 'zstddec'

/** Larger than any chunk or section of a trace.dat: what says it is larger is damage. */
const LARGEST = 512 * 1024 * 1024

/** What of the decoder's WebAssembly is used without its wrapper. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(bytes: number): number
  free(at: number): void
  /** Bytes written; a number above all sizes is an error. */
  ZSTD_decompress(to: number, room: number, from: number, bytes: number): number
}

/**
 * The decoder with its memory open: a quarter of the time of a small chunk is spent on copying it out, into memory that was never touched before, where
 * it is read once.
 */
class OpenDecoder extends ZSTDDecoder {
  exports: Exports | undefined

  override async init(): Promise<void> {
    const made = super._init
    // The base class calls it as a function of its own.
    this._init = (result) => {
      this.exports = result.instance.exports as unknown as Exports
      made.call(this, result)
    }
    await super.init()
  }
}

export class Zstd {
  private readonly decoder = new OpenDecoder()
  private packed = { at: 0, room: 0 }
  private plain = { at: 0, room: 0 }

  async init(): Promise<void> {
    await this.decoder.init()
  }

  /** Unpacks into bytes that are the caller's. Throws on damaged input. */
  decode(bytes: Uint8Array, size: number): Uint8Array {
    return this.borrow(bytes, size).slice()
  }

  /** Unpacks into bytes that are the decoder's own: valid until the next call. Throws on damaged input. */
  borrow(bytes: Uint8Array, size: number): Uint8Array {
    if (size <= 0 || size > LARGEST) throw new Error('the size makes no sense')
    const { exports } = this.decoder
    // The decoder is one a thread: whoever came first has its instance.
    if (!exports) return this.decoder.decode(bytes, size)
    this.packed = roomy(exports, this.packed, bytes.length)
    this.plain = roomy(exports, this.plain, size)
    new Uint8Array(exports.memory.buffer, this.packed.at, bytes.length).set(bytes)
    const written = exports.ZSTD_decompress(this.plain.at, size, this.packed.at, bytes.length)
    if (written !== size) throw new Error('the data are damaged')
    return new Uint8Array(exports.memory.buffer, this.plain.at, size)
  }
}

function roomy(exports: Exports, block: { readonly at: number; readonly room: number }, bytes: number): { at: number; room: number } {
  if (block.room >= bytes) return block
  if (block.room > 0) exports.free(block.at)
  const at = exports.malloc(bytes)
  if (at === 0) throw new Error('no memory is left to unpack into')
  return { at, room: bytes }
}
