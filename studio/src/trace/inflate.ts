/** Unpacks chunks of a trace.dat in a worker. */
import { unzlibSync } from 'fflate'
import type { Inflate } from '../../../src/trace/byte-file.ts'
import { Zstd } from '../../../src/trace/zstd.ts'

/** Makes the decompressors. zstd's carries its WebAssembly as a data address; here nothing may be fetched, so it is unpacked by hand, and the worker has no other way out. */
export async function makeInflate(): Promise<Inflate> {
  self.fetch = (async (address: string) => {
    const data = /^data:application\/wasm;base64,(.*)$/.exec(address)?.[1]
    if (data === undefined) throw new Error('a trace is read without a network')
    return { arrayBuffer: async () => Uint8Array.from(atob(data), (character) => character.charCodeAt(0)).buffer }
  }) as unknown as typeof fetch
  const decoder = new Zstd()
  await decoder.init()
  return {
    zstd: (bytes, size) => decoder.decode(bytes, size),
    borrowZstd: (bytes, size) => decoder.borrow(bytes, size),
    zlib: (bytes, size) => unzlibSync(bytes, { out: new Uint8Array(Math.max(1, size)) }),
  }
}
