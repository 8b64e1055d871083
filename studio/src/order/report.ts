/** An answer of `putpage order --json`, as far as it is shown. */
import type { CheckFact, Knowledge } from '../../../src/order/knowledge.ts'

export interface OrderReport extends Knowledge {
  readonly format: string
  readonly from: string
  readonly to?: string
  readonly scenarios: number
  readonly cuts: readonly (OrderCut & { readonly allowingWhatAllIntroduce?: OrderCut })[]
}

export interface OrderCut {
  readonly cut: string
  readonly elements: readonly OrderElement[]
  readonly allowed: readonly Reason[]
  readonly sets: number
  readonly safe: number
  readonly undecided: number
  /** One letter a set. */
  readonly verdicts: string
  readonly firstMovers: readonly string[]
  readonly orders: number
  readonly ordersWithGroups: number
  /** What each step of one order adds. */
  readonly oneOrder?: readonly (readonly string[])[]
  readonly landTogether: readonly { readonly members: readonly string[]; readonly onto: readonly string[] }[]
  readonly minimalUnsafe: readonly (Reason & {
    readonly set: readonly string[]
    readonly with: readonly string[]
    readonly steps?: readonly { readonly thread: string; readonly function: string; readonly text: string; readonly file: string; readonly line: number }[]
  })[]
  readonly landed: readonly {
    readonly since: string
    readonly commits: readonly string[]
    readonly adds: readonly string[]
    readonly set: readonly string[]
  }[]
}

export interface OrderElement {
  readonly id: string
  readonly change: string
  readonly about: string
  readonly switches: readonly string[]
  readonly landed?: { readonly since: string; readonly commits: readonly string[]; readonly how?: string }
}

/** A failure. */
export interface Reason extends CheckFact {
  readonly scenario: string
}

/** Reads a text; a sentence if it is not one. */
export function parseOrder(text: string): OrderReport | string {
  let value: { readonly format?: unknown }
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return 'This is no JSON. Write it with `putpage order --json > order.json`.'
  }
  return checkOrder(value)
}

/** What was read, if it can be shown; else a sentence that says why not. */
export function checkOrder(value: unknown): OrderReport | string {
  const found = value as Partial<OrderReport> | null
  if (found?.format !== 'putpage-order/1') return `This is no answer of \`putpage order --json\`: its format is ${JSON.stringify(found?.format ?? null)}.`
  if (!Array.isArray(found.situations) || found.cuts?.some(({ verdicts }) => typeof verdicts !== 'string') !== false)
    return 'This answer is of an older putpage, and does not tell the verdict of each set. Write it again with `putpage order --json > order.json`.'
  return found as OrderReport
}

/** Failures by situation: `sleeps, 2 use-after-free`. */
export function bySituation(reasons: readonly Reason[]): { readonly scenario: string; readonly kinds: string; readonly messages: readonly string[] }[] {
  const situations = new Map<string, Reason[]>()
  for (const reason of reasons) situations.set(reason.scenario, [...(situations.get(reason.scenario) ?? []), reason])
  return [...situations].map(([scenario, list]) => {
    const kinds = [...new Set(list.map(({ kind }) => kind))].map((kind) => {
      const count = list.filter((one) => one.kind === kind).length
      return count === 1 ? kind : `${count} ${kind}`
    })
    return { scenario, kinds: kinds.join(', '), messages: [...new Set(list.map(({ message }) => message))] }
  })
}

/** Situations that say the same of what failed. */
export function byMessages(
  reasons: readonly Reason[],
): { readonly kinds: string; readonly messages: readonly string[]; readonly scenarios: readonly string[] }[] {
  const alike = new Map<string, { readonly kinds: string; readonly messages: readonly string[]; readonly scenarios: string[] }>()
  for (const { scenario, kinds, messages } of bySituation(reasons)) {
    const key = [kinds, ...messages].join('\n')
    const one = alike.get(key) ?? { kinds, messages, scenarios: [] }
    one.scenarios.push(scenario)
    alike.set(key, one)
  }
  return [...alike.values()].sort((a, b) => b.scenarios.length - a.scenarios.length)
}
