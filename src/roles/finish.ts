/** From a summary of an entry function to its automaton: wake-ups become a property of the operation before them, counts become the kernel's. */
import type { Interval, Letter, RoleAutomaton } from './automaton.ts'
import { LetterPool, type RawLetter, WAKE } from './letters.ts'
import { COUNT_CLASSES, kernelCount } from './page-world.ts'
import { reduce } from './reduce.ts'
import type { RawSlice, RawState, Summary } from './slice.ts'

/** Gives the automaton of a function. */
export function finish(entry: string, type: string, summary: Summary, pool: LetterPool): RoleAutomaton {
  const woken = wakesFrom(summary, pool)
  // Once more, with wake-ups silent and said by the letters before them.
  const own = new LetterPool()
  const states: RawState[] = summary.edges.map((edges, s) => ({
    exit: summary.exits[s].length > 0 ? 0 : -1,
    silent: edges.filter(({ letter }) => pool.letters[letter].event === WAKE).map(({ to }) => to),
    letters: edges
      .filter(({ letter }) => pool.letters[letter].event !== WAKE)
      .map(({ letter, to }) => {
        const raw = pool.letters[letter]
        // The chain's text carries what the letter wakes through the reduction.
        const id = own.id({ ...raw, chain: `${woken[to]} ${raw.chain}` })
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
    const [wakes, chain] = raw.chain.split(' ')
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
      wakes: wakes as Letter['wakes'],
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

/** Whether a wake-up lies on every way from a state to the next operation or the end, on some, or on none. */
function wakesFrom({ edges, exits }: Summary, pool: LetterPool): Letter['wakes'][] {
  const isWake = (letter: number): boolean => pool.letters[letter].event === WAKE
  return edges.map((own, s) => {
    if (!own.some(({ letter }) => isWake(letter))) return 'no'
    return exits[s].length === 0 && own.every(({ letter }) => isWake(letter)) ? 'yes' : 'perhaps'
  })
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
