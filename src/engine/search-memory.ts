/** The memory of a search in one thread: a WebAssembly memory that generated code, in either language, works on. Other threads can look at it. */

/** What is used of the global: its types come with the DOM's, which this project does without. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory
}

/** A WebAssembly.Memory. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
  grow(pages: number): number
}

/** What WebAssembly of 32 bits can address: 4 GiB. */
export const MOST_PAGES = 1 << 16
const PAGE_WORDS = 1 << 14

export class SearchMemory {
  readonly wasm: WasmMemory
  /** All words. Replaced when memory grows; an older one goes on to show the words it had. */
  words: Int32Array
  private readonly growing: ((words: Int32Array) => void)[] = []

  private constructor(wasm: WasmMemory) {
    this.wasm = wasm
    this.words = new Int32Array(wasm.buffer)
  }

  /** New memory, all zero. Throws RangeError if there is none. */
  static ofSize(words: number): SearchMemory {
    return new SearchMemory(new WebAssembly.Memory({ initial: Math.ceil(words / PAGE_WORDS), maximum: MOST_PAGES, shared: true }))
  }

  /** Another thread's memory. */
  static of(wasm: WasmMemory): SearchMemory {
    return new SearchMemory(wasm)
  }

  /** Makes it hold at least `words` words; those added are 0. Throws RangeError if there is no memory. */
  grow(words: number): void {
    const more = Math.ceil(words / PAGE_WORDS) - this.words.length / PAGE_WORDS
    if (more <= 0) return
    this.wasm.grow(more)
    this.words = new Int32Array(this.wasm.buffer)
    for (const tell of this.growing) tell(this.words)
  }

  /** Calls `tell` whenever memory has grown. */
  onGrow(tell: (words: Int32Array) => void): void {
    this.growing.push(tell)
  }
}
