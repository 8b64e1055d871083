/** A file as bytes, wherever it lies: on a disk, in memory, behind a browser's File. The readers know only this. */

export interface ByteFile {
  /** For messages. */
  readonly name: string
  readonly size: number
  /** The bytes from `offset`: `length` of them, or fewer at the end. The array is the caller's. Never negative arguments. */
  read(offset: number, length: number): Uint8Array
}

/** Bytes that are in memory already. */
export function memoryFile(bytes: Uint8Array, name = 'memory'): ByteFile {
  return { name, size: bytes.length, read: (offset, length) => bytes.slice(offset, offset + length) }
}

/** What decompresses: the reader is given it, since Node and browsers differ in what they have. Both throw on damaged input. */
export interface Inflate {
  zstd(bytes: Uint8Array, size: number): Uint8Array
  /** The same, into memory that is valid until the next call. */
  borrowZstd?(bytes: Uint8Array, size: number): Uint8Array
  zlib(bytes: Uint8Array, size: number): Uint8Array
}

/** The input cannot be read as a trace: `message` says why and, where one can, what to do. No event was read. */
export class TraceError extends Error {}

/** The bytes end, or make no sense, at `offset` of the file. */
export class Cut extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}
