/** Unpacks chunks of a trace.dat in a worker. */
import { unzlibSync } from 'fflate'
import { ZSTDDecoder } from 'zstddec'
import type { Inflate } from '../../../src/trace/byte-file.ts'

/** Larger than any chunk or section: what says it is larger is damage. */
const LARGEST = 512 * 1024 * 1024

/** Makes the decompressors. zstd's carries its WebAssembly as a data address; here nothing may be fetched, so it is unpacked by hand, and the worker has no other way out. */
export async function makeInflate(): Promise<Inflate> {
  self.fetch = (async (address: string) => {
    const data = /^data:application\/wasm;base64,(.*)$/.exec(address)?.[1]
    if (data === undefined) throw new Error('a trace is read without a network')
    return { arrayBuffer: async () => Uint8Array.from(atob(data), (character) => character.charCodeAt(0)).buffer }
  }) as unknown as typeof fetch
  const decoder = new ZSTDDecoder()
  await decoder.init()
  return {
    zstd(bytes, size) {
      if (size <= 0 || size > LARGEST) throw new Error('the size makes no sense')
      return decoder.decode(bytes, size)
    },
    zlib: (bytes, size) => unzlibSync(bytes, { out: new Uint8Array(Math.max(1, size)) }),
  }
}
