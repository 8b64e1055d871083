/** An answer of `putpage order --json`, as far as it is shown, and what it says of a set of changes. */
export interface OrderReport {
  readonly format: string
  readonly from: string
  readonly to?: string
  readonly scenarios: number
  readonly searches: number
  readonly cuts: readonly (OrderCut & { readonly allowingWhatAllIntroduce?: OrderCut })[]
}

export interface OrderCut {
  readonly cut: string
  readonly elements: readonly OrderElement[]
  readonly allowed: readonly Reason[]
  readonly sets: number
  readonly safe: number
  readonly undecided: number
  readonly firstMovers: readonly string[]
  readonly orders: number
  /** Orders in which groups land as one step; absent in older answers. */
  readonly ordersWithGroups?: number
  /** What each step of one order adds. */
  readonly oneOrder?: readonly (readonly string[])[]
  readonly reachable: readonly (readonly string[])[]
  readonly steps: readonly { readonly from: readonly string[]; readonly adds: string }[]
  readonly landTogether: readonly { readonly members: readonly string[]; readonly onto: readonly string[] }[]
  readonly alone: readonly ({ readonly element: string; readonly safe: boolean } & Together)[]
  readonly all: Together
  readonly minimalUnsafe: readonly (Reason & {
    readonly set: readonly string[]
    readonly with: readonly string[]
    readonly repairedBy: readonly (readonly string[])[]
    readonly steps?: readonly { readonly thread: string; readonly function: string; readonly text: string; readonly file: string; readonly line: number }[]
  })[]
  readonly landed: readonly ({
    readonly since: string
    readonly commits: readonly string[]
    readonly adds: readonly string[]
    readonly set: readonly string[]
    readonly new: readonly Reason[]
  } & Together)[]
}

export interface OrderElement {
  readonly id: string
  readonly change: string
  readonly about: string
  readonly switches: readonly string[]
  readonly landed?: { readonly since: string; readonly commits: readonly string[]; readonly how?: string }
}

export interface Reason {
  readonly scenario: string
  readonly check: string
  readonly kind: string
  readonly message: string
}

export interface Together {
  readonly introduces: readonly Reason[]
  readonly repairs: readonly { readonly scenario: string; readonly check: string }[]
  readonly complete: boolean
}

/** Reads a text; a sentence if it is not one. */
export function parseOrder(text: string): OrderReport | string {
  try {
    const value = JSON.parse(text) as { readonly format?: unknown }
    if (value?.format === 'putpage-order/1') return value as OrderReport
    return `This is no answer of \`putpage order --json\`: its format is ${JSON.stringify(value?.format ?? null)}.`
  } catch {
    return 'This is no JSON. Write it with `putpage order --json > order.json`.'
  }
}

export const keyOf = (set: readonly string[]): string => [...set].sort().join(' ')

export interface Judged {
  readonly kind: 'safe' | 'unsafe' | 'unreached' | 'not told'
  readonly why: string
  /** The smallest unsafe set in it that nothing in it repairs. */
  readonly unsafe?: OrderCut['minimalUnsafe'][number]
  readonly reasons: readonly Reason[]
}

/** What the answer says of a set. Safety is not monotone: a larger set may repair what a smaller one breaks. */
export function judge(cut: OrderCut, set: readonly string[]): Judged {
  if (cut.reachable.some((one) => keyOf(one) === keyOf(set)))
    return { kind: 'safe', why: 'Nothing fails with it that does not fail without, and one change after the other leads here.', reasons: [] }
  const alone = set.length === 1 ? cut.alone.find(({ element }) => element === set[0]) : undefined
  if (alone && !alone.safe)
    return {
      kind: 'unsafe',
      why: 'By itself it breaks what worked.',
      reasons: alone.introduces,
      unsafe: cut.minimalUnsafe.find((one) => keyOf(one.set) === keyOf(set)),
    }
  const landed = cut.landed.find((step) => keyOf(step.set) === keyOf(set))
  if (landed && landed.introduces.length > 0)
    return { kind: 'unsafe', why: `Linux had this set since ${landed.since}.`, reasons: landed.introduces, unsafe: undefined }
  const within = (small: readonly string[]): boolean => small.every((id) => set.includes(id))
  const broken = cut.minimalUnsafe.filter((one) => within(one.set))
  const open = broken.find((one) => !one.repairedBy.some(within))
  if (open) return { kind: 'unsafe', why: `${open.set.join(' + ')} breaks what worked, and nothing here repairs it.`, unsafe: open, reasons: [open] }
  if (set.length === cut.elements.length && cut.all.introduces.length > 0)
    return { kind: 'unsafe', why: 'All together break what worked.', reasons: cut.all.introduces }
  if (cut.landTogether.some(({ members, onto }) => keyOf([...members, ...onto]) === keyOf(set)))
    return { kind: 'safe', why: 'Safe, if its last group lands together.', reasons: [] }
  if (broken.length > 0)
    return { kind: 'unreached', why: 'Something in it repairs what it breaks, but no way leads here by one safe step after the other.', reasons: [] }
  return { kind: 'not told', why: 'This answer does not tell of this set by itself. Search it below.', reasons: [] }
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
