/** Who to blame for what is still held: the call sites whose references an open life has more than a completed one. */
import type { OpenLife } from './accounts.ts'
import type { Ledger } from './ledger.ts'
import { siteOf } from './sites.ts'
import type { LifeVector } from './span.ts'

/** A site with its part of the open references. */
export interface Blamed {
  readonly site: number
  readonly amount: number
  /** Of the possible explanations, the part that names this site: 1 if all do. */
  readonly share: number
}

export interface Attribution {
  readonly blamed: readonly Blamed[]
  /**
   * `removal`: without these references the life is one that completed lives allow. `missing put`: with one more put it would be; the sites are those
   * it pays back. `matching`: neither; what the matching of puts with gets left over.
   */
  readonly how: 'removal' | 'missing put' | 'matching'
  /** For `missing put`: the put sites that would complete the life. */
  readonly puts: readonly number[]
}

/** Explains the open references of a life. */
export function attribute(ledger: Ledger, life: OpenLife): Attribution {
  const excess = life.sum
  const { span } = ledger
  // A site that no completed life has never gave back what it took.
  const never = getsOf(life).filter(({ dimension }) => !span.has(dimension))
  const taken = never.reduce((sum, { amount }) => sum + amount, 0)
  if (taken > 0 && taken <= excess) {
    const rest = without(life, never)
    const blamed = never.map(({ dimension, amount }) => ({ site: siteOf(dimension), amount, share: 1 }))
    if (taken === excess) {
      if (span.contains(rest)) return { blamed, how: 'removal', puts: [] }
    } else {
      const others = removals(ledger, rest, excess - taken)
      if (others.length > 0) return { blamed: [...blamed, ...others], how: 'removal', puts: [] }
      // The rest of the life is under way in a way that was not seen to end; these sites stand out all the same.
      return { blamed, how: 'removal', puts: [] }
    }
  }
  const found = removals(ledger, life, excess)
  if (found.length > 0) return { blamed: found, how: 'removal', puts: [] }
  const puts = missingPuts(ledger, life, excess)
  if (puts.length > 0) {
    const open = new Set(getsOf(life).map(({ dimension }) => siteOf(dimension)))
    const weights = new Map<number, number>()
    for (const put of puts) {
      for (const { site, times } of ledger.matching.paidBy(put)) if (open.has(site)) weights.set(site, (weights.get(site) ?? 0) + times)
    }
    for (const reference of life.open) if (!weights.has(reference.site)) weights.set(reference.site, 1)
    const total = [...weights.values()].reduce((a, b) => a + b, 0)
    const blamed = [...weights].map(([site, weight]) => ({ site, amount: excess, share: weight / total })).sort((a, b) => b.share - a.share)
    if (blamed.length > 0) return { blamed, how: 'missing put', puts }
  }
  const left = new Map<number, number>()
  for (const reference of life.open) left.set(reference.site, (left.get(reference.site) ?? 0) + reference.amount)
  return { blamed: [...left].map(([site, amount]) => ({ site, amount, share: 1 })), how: 'matching', puts: [] }
}

function getsOf(life: LifeVector): { dimension: number; amount: number }[] {
  return life.dimensions.flatMap((dimension, i) => (dimension % 2 === 0 ? [{ dimension, amount: life.amounts[i] }] : []))
}

function without(life: LifeVector, removed: readonly { dimension: number; amount: number }[]): LifeVector {
  return {
    dimensions: life.dimensions,
    amounts: life.amounts.map((amount, i) => amount - (removed.find((one) => one.dimension === life.dimensions[i])?.amount ?? 0)),
  }
}

/** Sites, alone or in pairs, whose removal completes the life; with several answers each has its share. */
function removals(ledger: Ledger, life: LifeVector, excess: number): Blamed[] {
  const gets = getsOf(life).filter(({ amount }) => amount > 0)
  const alone = gets.filter(({ dimension, amount }) => amount >= excess && ledger.span.contains(without(life, [{ dimension, amount: excess }])))
  if (alone.length > 0) return alone.map(({ dimension }) => ({ site: siteOf(dimension), amount: excess, share: 1 / alone.length }))
  if (excess < 2 || gets.length > 40) return []
  const pairs: { a: number; b: number; amount: number }[] = []
  for (let i = 0; i < gets.length; i++) {
    for (let k = i + 1; k < gets.length; k++) {
      for (let amount = 1; amount < Math.min(excess, 4); amount++) {
        for (const first of amount * 2 === excess ? [amount] : [amount, excess - amount]) {
          if (first > gets[i].amount || excess - first > gets[k].amount) continue
          const removed = [
            { dimension: gets[i].dimension, amount: first },
            { dimension: gets[k].dimension, amount: excess - first },
          ]
          if (ledger.span.contains(without(life, removed))) pairs.push({ a: i, b: k, amount: first })
        }
      }
    }
  }
  const blamed = new Map<number, Blamed>()
  const add = (site: number, amount: number): void => {
    const known = blamed.get(site)
    blamed.set(site, { site, amount: Math.max(amount, known?.amount ?? 0), share: (known?.share ?? 0) + 1 / pairs.length })
  }
  for (const { a, b, amount } of pairs) {
    add(siteOf(gets[a].dimension), amount)
    add(siteOf(gets[b].dimension), excess - amount)
  }
  return [...blamed.values()].sort((x, y) => y.share - x.share || x.site - y.site)
}

/** Put sites one of which, coming once more (or as often as references are open), would complete the life. */
function missingPuts(ledger: Ledger, life: LifeVector, excess: number): number[] {
  const puts: number[] = []
  for (const dimension of ledger.span.dimensions) {
    if (dimension % 2 === 0) continue
    const at = life.dimensions.indexOf(dimension)
    const more: LifeVector =
      at >= 0
        ? { dimensions: life.dimensions, amounts: life.amounts.map((amount, i) => (i === at ? amount + excess : amount)) }
        : { dimensions: [...life.dimensions, dimension], amounts: [...life.amounts, excess] }
    if (ledger.span.contains(more)) puts.push(siteOf(dimension))
  }
  return puts
}
