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
  private readonly ids = new Map<string, number>()
  private readonly prefixed = new Map<string, number>()

  id(letter: RawLetter): number {
    const key = `${letter.event} ${letter.value} ${letter.done} ${letter.before} ${letter.chain}`
    const known = this.ids.get(key)
    if (known !== undefined) return known
    this.ids.set(key, this.letters.length)
    this.letters.push(letter)
    return this.letters.length - 1
  }

  /** The same operation, done by a function that `chain` calls. */
  within(chain: string, letter: number): number {
    const key = `${letter} ${chain}`
    const known = this.prefixed.get(key)
    if (known !== undefined) return known
    const made = this.id({ ...this.letters[letter], chain: `${chain}>${this.letters[letter].chain}` })
    this.prefixed.set(key, made)
    return made
  }

  /** Letters that differ in the counts before them only, as one. */
  join(a: number, b: number): number {
    if (a === b) return a
    return this.id({ ...this.letters[a], before: this.letters[a].before | this.letters[b].before })
  }

  /** Equal for letters that can be joined. */
  shape(letter: number): number {
    const { before } = this.letters[letter]
    return before === 0 ? letter : this.id({ ...this.letters[letter], before: (1 << COUNT_CLASSES.length) - 1 })
  }
}
