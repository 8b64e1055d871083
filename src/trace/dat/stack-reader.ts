/** Kernel stacks of ring-buffer pages: most of their bytes, and nearly always one that came before. */
import { LOW } from '../page-event.ts'
import { StackStore } from '../stack-store.ts'
import type { UnitLayout } from './unit.ts'

/** Frames of a stack that are kept. The outermost say which call a task is in: what is cut off is not known. */
const MAX_FRAMES = 256
/** Stacks that are guessed by some of their frames. */
const GUESSES = 1 << 12

export class StackReader {
  readonly store = new StackStore()
  private readonly little: boolean
  private readonly long: 4 | 8
  private readonly frame = new Uint32Array(2 * MAX_FRAMES)
  /** What is read as 32-bit words, if it can be read so: little endian, 64 bits, on a machine like that. */
  private words: Uint32Array = new Uint32Array(0)
  private asWords = false
  /** By some of its frames and their number, the stack that was last found with them. */
  private readonly guesses = new Int32Array(GUESSES)

  constructor({ little, long }: UnitLayout) {
    this.little = little
    this.long = long
  }

  /** Where the stacks that follow lie: all their offsets are of these bytes. */
  use(bytes: Uint8Array): void {
    this.asWords = this.little && this.long === 8 && LOW === 0 && (bytes.byteOffset & 3) === 0
    if (this.asWords) this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
  }

  /** The number of the stack at an offset; 0: it is empty. A frame of ones ends it before `frames` are read. */
  read(view: DataView, at: number, frames: number): number {
    const most = Math.min(frames, MAX_FRAMES)
    if (!this.asWords || (at & 3) !== 0) return this.readSlowly(view, at, most)
    if (most < 1) return 0
    const { words } = this
    const from = at >> 2
    // The innermost frame is the tracing's own, and the upper halves are alike in all of a kernel's functions.
    const last = from + 2 * (most - 1)
    const second = Math.min(from + 2, last)
    const middle = from + 2 * (most >> 1)
    let guess = Math.imul(words[second], 0x9e3779b1) ^ Math.imul(words[middle], 0x85ebca6b) ^ Math.imul(words[last], 0xc2b2ae35) ^ most
    guess = (guess ^ (guess >>> 16)) & (GUESSES - 1)
    const known = this.guesses[guess]
    if (known !== 0 && this.store.is(known, words, from, 2 * most)) return known
    const length = lengthOf(words, from, 2 * most)
    if (length === 0) return 0
    const id = this.store.intern(words, from, length, quickHash(words, from, length))
    if (length === 2 * most) this.guesses[guess] = id
    return id
  }

  private readSlowly(view: DataView, at: number, frames: number): number {
    const { little, long, frame } = this
    let words = 0
    for (let i = 0, from = at; i < frames; i++, from += long) {
      const low = view.getUint32(from + (little || long === 4 ? 0 : 4), little)
      const high = long === 8 ? view.getUint32(from + (little ? 4 : 0), little) : 0
      if (low === 0xffffffff && (long === 4 || high === 0xffffffff)) break
      frame[words] = low
      frame[words + 1] = high
      words += 2
    }
    return words === 0 ? 0 : this.store.intern(frame, 0, words, quickHash(frame, 0, words))
  }
}

/** How many of the words are frames: a word of ones in both halves ends the stack. */
function lengthOf(words: Uint32Array, from: number, length: number): number {
  for (let i = 0; i < length; i += 2) if (words[from + i] === 0xffffffff && words[from + i + 1] === 0xffffffff) return i
  return length
}

/** Of the lower halves: the upper ones are alike in all of a kernel's functions. */
function quickHash(words: Uint32Array, from: number, length: number): number {
  let hash = length
  for (let i = 0; i < length; i += 2) hash = (hash * 31 + words[from + i]) | 0
  return hash ^ (hash >>> 15)
}
