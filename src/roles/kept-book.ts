/** A book from what was kept of it: without what makes books, which takes longer to load than many a trace to read. */
import type { BookPages, KeptBook } from './book.ts'

/** A book made from what was kept; `model` is asked for what is not in it. */
export function keptBook(kernel: string, pages: BookPages | undefined, model: () => KeptBook): KeptBook {
  let live: KeptBook | undefined
  const modelled = (): KeptBook => {
    live ??= model()
    return live
  }
  if (!pages) return modelled()
  const references = new Set(pages.references)
  const roles = new Set(pages.roles)
  const reached = new Map<string, ReadonlySet<string>>()
  return {
    kernel,
    named: (frame) => pages.named[frame] ?? [],
    isReference: (name) => references.has(name),
    isRole: (name) => roles.has(name),
    automaton(name, type) {
      const known = pages.automata[type]?.[name]
      return known === undefined ? modelled().automaton(name, type) : (known ?? undefined)
    },
    reaches(from, to, type) {
      if (live?.reaches(from, to, type)) return true
      const key = `${type} ${from}`
      let found = reached.get(key)
      if (!found) {
        found = reachedFrom(from, (name) => (name !== from && roles.has(name) ? [] : (pages.calls[type]?.[name] ?? [])))
        reached.set(key, found)
      }
      return found.has(to)
    },
    waiters: pages.waiters,
    pages() {
      const more = live?.pages()
      if (!more) return undefined
      const types = new Set([...Object.keys(pages.automata), ...Object.keys(more.automata)])
      const merged = <T>(of: (book: BookPages) => Readonly<Record<string, Readonly<Record<string, T>>>>): Record<string, Record<string, T>> =>
        Object.fromEntries([...types].map((type) => [type, { ...of(pages)[type], ...of(more)[type] }]))
      return { ...more, automata: merged((book) => book.automata), calls: merged((book) => book.calls) }
    },
  }
}

/** The functions that a call of `from` can be executing, itself included. */
export function reachedFrom(from: string, callees: (name: string) => Iterable<string>): ReadonlySet<string> {
  const found = new Set([from])
  for (const name of found) for (const callee of callees(name)) found.add(callee)
  return found
}
