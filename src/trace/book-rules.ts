/** What the auditor asks of the model about one kernel, answered from its role automata. */
import type { Letter, RoleAutomaton } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'
import { callSite, placeIn } from './call-site.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { DeviceType } from './life.ts'

/** The kernel's functions by which a page is given back, and by which its memory map is made. */
const PUT = 'put_page'
const BIRTH = 'memmap_init_zone_device'

/** The rules of a book's kernel. */
export function bookRules(book: RoleBook): KernelRules {
  const free = new Map<DeviceType, 0 | 1 | undefined>()
  const freeAt = (type: DeviceType): 0 | 1 | undefined => {
    if (type === 'unknown') return undefined
    if (!free.has(type)) free.set(type, freeCount(book.automaton(PUT, type), book.automaton(BIRTH, type)))
    return free.get(type)
  }
  const waitedFor = (type: DeviceType): boolean => type !== 'unknown' && book.automaton(PUT, type)?.letters.some((letter) => letter.wakes !== 'no') === true
  return {
    kernel: book.kernel,
    freeAt,
    wakesAtIdle(type, frames) {
      const idle = freeAt(type)
      if (idle === undefined || !waitedFor(type)) return undefined
      const puts = lettersAt(book, type, frames).filter(
        ({ value, results }) => value !== undefined && value < 0 && results.some(([lo, hi]) => lo <= idle && idle <= hi),
      )
      return puts.length === 0 ? undefined : puts.some(({ wakes }) => wakes !== 'no')
    },
    waiters: (type) => (waitedFor(type) ? book.waiters : []),
  }
}

/** The count at which a put gives the page to its driver, or wakes who waits for it; if there is none, the count it is born with. */
function freeCount(put: RoleAutomaton | undefined, birth: RoleAutomaton | undefined): 0 | 1 | undefined {
  const known = (count: number | undefined): 0 | 1 | undefined => (count === 0 || count === 1 ? count : undefined)
  const freeing = (put?.letters ?? []).filter((letter) => letter.frees !== 'no' || letter.wakes !== 'no')
  const counts = new Set(freeing.flatMap(({ results }) => results.map(([lo, hi]) => (lo === hi ? lo : Number.NaN))))
  if (counts.size === 1) return known([...counts][0])
  const last = birth?.edges.flat().find(({ to }) => birth.edges[to].length === 0)
  return last && known(birth?.letters[last.letter].value)
}

/** The operations a stack may stand for. Of functions that act for their caller alone, what they do for any. */
function lettersAt(book: RoleBook, type: DeviceType, frames: readonly string[]): Letter[] {
  const site = callSite(book, type, frames, true)
  if (!site.mapped) return []
  const { letters, chains } = site.automaton
  return letters.filter((letter) => placeIn(site.path, chains[letter.chain]) >= 0)
}
