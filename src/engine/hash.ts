/**
 * The hash of a packed state: computed alike by generated code and by hand. It is a sum over the words, so that a transition that
 * changes few of many words need not look at the others.
 */
import { bin, type Command, get, num, set, type Value, type Var } from './machine.ts'

const STEP = 0x9e3779b1 | 0
const LAST = 0x85ebca6b | 0

/** An odd multiplier of its own for each word. */
function multiplier(word: number): number {
  const m = Math.imul(word + 1, STEP)
  return Math.imul(m ^ (m >>> 15), LAST) | 1
}

const multipliers = Int32Array.from({ length: 256 }, (_, word) => multiplier(word))

/** Hashes the state of `width` words at position `at`. */
export function hashWords(words: Int32Array, at: number, width: number): number {
  let sum = 0
  for (let i = 0; i < width; i++) {
    const word = words[at + i]
    const mixed = Math.imul(word ^ (word >>> 15), i < multipliers.length ? multipliers[i] : multiplier(i))
    sum = (sum + (mixed ^ (mixed >>> 13))) | 0
  }
  sum = Math.imul(sum ^ (sum >>> 16), LAST)
  return sum ^ (sum >>> 15)
}

/** Code that adds what a word contributes to the sum in `sum`, or takes it away; `scratch` is overwritten. */
export function addWord(value: Value, word: number, sum: Var, scratch: Var, op: '+' | '-' = '+'): Command[] {
  const v = get(scratch)
  return [
    set(scratch, value),
    set(scratch, bin('*', bin('^', v, bin('>>>', v, num(15))), num(multiplier(word)))),
    set(sum, bin(op, get(sum), bin('^', v, bin('>>>', v, num(13))))),
  ]
}

/** Code that makes the hash of the sum. */
export function finishHash(sum: Var): Command[] {
  const v = get(sum)
  return [set(sum, bin('*', bin('^', v, bin('>>>', v, num(16))), num(LAST))), set(sum, bin('^', v, bin('>>>', v, num(15))))]
}

/** Code that hashes the state of `width` words at `at`. */
export function hashCode(width: number, at: Value, sum: Var, scratch: Var): Command[] {
  const words = Array.from({ length: width }, (_, w) => addWord({ k: 'word', at, offset: w }, w, sum, scratch))
  return [set(sum, num(0)), ...words.flat(), ...finishHash(sum)]
}

/**
 * Which of `parts` owns a state with this hash. Other bits decide than those that place it in its owner's table. At most
 * 32,768 parts.
 */
export function ownerOf(hash: number, parts: number): number {
  return ((Math.imul(hash ^ (hash >>> 16), LAST) >>> 16) * parts) >>> 16
}

/** The same as code. */
export function ownerCode(hash: Value, parts: Value): Value {
  const mixed = bin('*', bin('^', hash, bin('>>>', hash, num(16))), num(LAST))
  return bin('>>>', bin('*', bin('>>>', mixed, num(16)), parts), num(16))
}
