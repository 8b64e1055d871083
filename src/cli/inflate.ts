/** What decompresses chunks of a trace.dat on the command line and in its worker threads. */
import * as zlib from 'node:zlib'
import { ZSTDDecoder } from 'zstddec'
import type { Inflate } from '../trace/byte-file.ts'

/** Larger than any chunk or section: what says it is larger is damage. */
const LARGEST = 512 * 1024 * 1024

/** Makes the decompressors; zstd's is WebAssembly and has to be instantiated first. */
export async function makeInflate(): Promise<Inflate> {
  const decoder = new ZSTDDecoder()
  await decoder.init()
  return {
    zstd(bytes, size) {
      if (size <= 0 || size > LARGEST) throw new Error('the size makes no sense')
      return decoder.decode(bytes, size)
    },
    zlib(bytes, size) {
      return zlib.inflateSync(bytes, { maxOutputLength: Math.max(1, size) })
    },
  }
}
