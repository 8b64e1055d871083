/** From a summary of an entry function to its automaton: wake-ups become a property of the operation before them, counts become the kernel's. */
import type { Certainty, Interval, Letter, RoleAutomaton } from './automaton.ts'
import { FREE, isMark, LetterPool, type RawLetter, WAKE } from './letters.ts'
import { COUNT_CLASSES, kernelCount } from './page-world.ts'
import { reduce } from './reduce.ts'
import type { RawSlice, RawState, Summary } from './slice.ts'

/** Gives the automaton of a function. */
export function finish(entry: string, type: string, summary: Summary, pool: LetterPool): RoleAutomaton {
  const woken = followedBy(summary, pool, WAKE)
  const freed = followedBy(summary, pool, FREE)
  // Once more, with the marks silent and said by the letters before them.
  const own = new LetterPool()
  const states: RawState[] = summary.edges.map((edges, s) => ({
    exit: summary.exits[s].length > 0 ? 0 : -1,
    silent: edges.filter(({ letter }) => isMark(pool.letters[letter])).map(({ to }) => to),
    letters: edges
      .filter(({ letter }) => !isMark(pool.letters[letter]))
      .map(({ letter, to }) => {
        const raw = pool.letters[letter]
        // The chain's text carries what follows the letter through the reduction.
        const id = own.id({ ...raw, chain: `${woken[to]} ${freed[to]} ${raw.chain}` })
        return { letter: id, to }
      }),
  }))
  const raw: RawSlice = { states, returns: [[]] }
  const small = reduce(raw, own)
  const chains: string[][] = []
  const chainIds = new Map<string, number>()
  const letters: Letter[] = []
  const ids = new Map<number, number>()
  const letterFor = (id: number): number => {
    const known = ids.get(id)
    if (known !== undefined) return known
    const raw = own.letters[id]
    const [wakes, frees, chain] = raw.chain.split(' ')
    let number = chainIds.get(chain)
    if (number === undefined) {
      number = chains.length
      chainIds.set(chain, number)
      chains.push(chain.split('>'))
    }
    letters.push({
      event: raw.event,
      value: raw.value === undefined ? undefined : kernelCount(raw.value),
      done: raw.done,
      results: intervals(raw),
      chain: number,
      wakes: wakes as Certainty,
      frees: frees as Certainty,
    })
    ids.set(id, letters.length - 1)
    return letters.length - 1
  }
  return {
    entry,
    type,
    chains,
    letters,
    edges: small.edges.map((edges) => edges.map(({ letter, to }) => ({ letter: letterFor(letter), to }))),
    accepting: small.exits.map((exits) => exits.length > 0),
  }
}

/** Whether a mark lies on every way from a state to the next operation or the end, on some, or on none. */
function followedBy({ edges, exits }: Summary, pool: LetterPool, mark: string): Certainty[] {
  const marks = edges.map((own) => own.filter(({ letter }) => isMark(pool.letters[letter])))
  // may: the mark can be reached before an operation. avoid: an operation or the end can be reached without it.
  const may = marks.map((own) => own.some(({ letter }) => pool.letters[letter].event === mark))
  const avoid = edges.map((own, s) => exits[s].length > 0 || own.length > marks[s].length)
  for (let changed = true; changed; ) {
    changed = false
    marks.forEach((own, s) => {
      for (const { letter, to } of own) {
        if (!may[s] && may[to]) may[s] = changed = true
        if (!avoid[s] && pool.letters[letter].event !== mark && avoid[to]) avoid[s] = changed = true
      }
    })
  }
  return edges.map((_, s) => (!may[s] ? 'no' : avoid[s] ? 'perhaps' : 'yes'))
}

/** The counts after an operation, as intervals in the kernel's units. */
function intervals(letter: RawLetter): Interval[] {
  if (letter.event === 'page_ref_freeze' && letter.done) return [[0, 0]]
  if (letter.before === 0)
    return letter.value === undefined ? [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]] : [[kernelCount(letter.value), kernelCount(letter.value)]]
  if (letter.value === undefined && letter.done) return [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]]
  const delta = kernelCount(letter.value ?? 0)
  const found: [number, number][] = []
  COUNT_CLASSES.forEach(({ lo, hi }, i) => {
    if ((letter.before & (1 << i)) === 0) return
    const from = kernelCount(lo) + delta
    const to = kernelCount(hi) + delta
    const last = found[found.length - 1]
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else found.push([from, to])
  })
  return found
}
