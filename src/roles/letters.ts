/** Operations on the count as slices have them, each once for a whole book: numbers of the model, counts in classes. */
import { COUNT_CLASSES } from './page-world.ts'

/** An operation on the count in one path of one step. */
export interface RawLetter {
  /** The tracepoint, or a mark of something else that happens: `WAKE`, `FREE`. */
  readonly event: string
  /** What is added, or stored by `page_ref_set` and `page_ref_unfreeze`; undefined: the model leaves it open. */
  readonly value: number | undefined
  readonly done: boolean
  /** Classes of the count before it, as bits; 0: the count is not looked at. */
  readonly before: number
  /** Functions being executed, outermost first, joined by `>`. */
  readonly chain: string
}

/** Those who sleep until the page is idle are woken. */
export const WAKE = 'wake'
/** The driver gets its page back. */
export const FREE = 'free'

export function isMark(letter: RawLetter): boolean {
  return letter.event === WAKE || letter.event === FREE
}

export class LetterPool {
  readonly letters: RawLetter[] = []
  /** For each letter the number of those that differ from it in the counts before them only. */
  private readonly shapes: number[] = []
  private readonly shapeIds = new Map<string, number>()
  private readonly ids = new Map<number, number>()
  private readonly prefixed = new Map<string, Map<number, number>>()

  id(letter: RawLetter): number {
    const key = `${letter.event} ${letter.value} ${letter.done} ${letter.before === 0} ${letter.chain}`
    let shape = this.shapeIds.get(key)
    if (shape === undefined) {
      shape = this.shapeIds.size
      this.shapeIds.set(key, shape)
    }
    return this.ofShape(shape, letter)
  }

  private ofShape(shape: number, letter: RawLetter): number {
    const key = shape * 2 ** COUNT_CLASSES.length + letter.before
    const known = this.ids.get(key)
    if (known !== undefined) return known
    this.ids.set(key, this.letters.length)
    this.letters.push(letter)
    this.shapes.push(shape)
    return this.letters.length - 1
  }

  /** The same operation, done by a function that `chain` calls. */
  within(chain: string, letter: number): number {
    let known = this.prefixed.get(chain)
    if (!known) {
      known = new Map()
      this.prefixed.set(chain, known)
    }
    const made = known.get(letter) ?? this.id({ ...this.letters[letter], chain: `${chain}>${this.letters[letter].chain}` })
    known.set(letter, made)
    return made
  }

  /** Letters that differ in the counts before them only, as one. */
  join(a: number, b: number): number {
    const before = this.letters[a].before | this.letters[b].before
    if (before === this.letters[a].before) return a
    if (before === this.letters[b].before) return b
    const key = this.shapes[a] * 2 ** COUNT_CLASSES.length + before
    return this.ids.get(key) ?? this.ofShape(this.shapes[a], { ...this.letters[a], before })
  }

  /** Equal for letters that can be joined. */
  shape(letter: number): number {
    return this.shapes[letter]
  }
}
