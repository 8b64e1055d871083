/** Compressed data of a trace.dat. */
import { Cut, type Inflate } from '../byte-file.ts'
import type { Compression } from './dat-head.ts'

/** Decompresses, and checks that the size is what was announced; throws `Cut`. `borrowed`: what comes out need not outlive the next call. */
export function unpack(inflate: Inflate, compression: Compression, bytes: Uint8Array, size: number, offset: number, borrowed = false): Uint8Array {
  if (size === 0) return new Uint8Array(0)
  let out: Uint8Array
  try {
    if (compression === 'zlib') out = inflate.zlib(bytes, size)
    else out = borrowed && inflate.borrowZstd ? inflate.borrowZstd(bytes, size) : inflate.zstd(bytes, size)
  } catch {
    throw new Cut(offset, `the ${compression} data at byte ${offset} is damaged`)
  }
  if (out.length !== size) throw new Cut(offset, `the ${compression} data at byte ${offset} is damaged`)
  return out
}
