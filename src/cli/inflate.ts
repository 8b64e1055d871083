/** What decompresses chunks of a trace.dat on the command line and in its worker threads. */
import { createRequire } from 'node:module'
import type { Inflate } from '../trace/byte-file.ts'
import { Zstd } from '../trace/zstd.ts'

/** Makes the decompressors; zstd's is WebAssembly and has to be instantiated first. */
/** Loaded by the first chunk that needs it: it takes as long to load as the readers. */
let zlib: typeof import('node:zlib') | undefined

export async function makeInflate(): Promise<Inflate> {
  const decoder = new Zstd()
  await withoutFetch(() => decoder.init())
  return {
    zstd: (bytes, size) => decoder.decode(bytes, size),
    borrowZstd: (bytes, size) => decoder.borrow(bytes, size),
    zlib(bytes, size) {
      zlib ??= createRequire(import.meta.url)('node:zlib') as typeof import('node:zlib')
      return zlib.inflateSync(bytes, { maxOutputLength: Math.max(1, size) })
    },
  }
}

/** The decoder would take its own bytes through fetch, if there is one: Node loads its whole HTTP client for that, which takes longer than the rest. */
async function withoutFetch(init: () => Promise<void>): Promise<void> {
  const fetch = Object.getOwnPropertyDescriptor(globalThis, 'fetch')
  if (!fetch?.configurable) return init()
  Object.defineProperty(globalThis, 'fetch', { value: undefined, configurable: true })
  const done = init()
  Object.defineProperty(globalThis, 'fetch', fetch)
  return done
}
