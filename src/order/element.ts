/** What is put in order: the parts of changes that can land by themselves, each as the switches it turns on. */
import type { Proposal } from '../lang/model.ts'

/** One thing that can land. */
export interface Element {
  /** `no-devmap-bit`, or `refcount-normalisation.fsdax` for a part of a change. */
  readonly id: string
  readonly change: string
  readonly about: string
  readonly switches: readonly string[]
  readonly landed?: { readonly place: number; readonly since: string; readonly commits: readonly string[]; readonly how?: string }
}

/** The cut that every part has. */
export const OWN_CUT = 'by kind'

/** The name of a part: the change's own where it has only one. */
export function elementId(change: string, part: string, parts: number): string {
  return parts === 1 ? change : `${change}.${part}`
}

/** The elements of some changes under a cut; where a part says nothing of the cut it is as under every other. */
export function elementsOf(proposals: ReadonlyMap<string, Proposal>, changes: readonly string[], cut: string): Element[] {
  return changes.flatMap((change) => {
    const { parts, about } = proposals.get(change) as Proposal
    const entries = Object.entries(parts)
    return entries.map(([name, part]): Element => {
      const id = elementId(change, name, entries.length)
      return { id, change, about: part.about ?? about, switches: part.cuts?.[cut] ?? part.switches, ...(part.landed ? { landed: part.landed } : {}) }
    })
  })
}

/** All cuts that some part of these changes knows, their own first. */
export function cutsOf(proposals: ReadonlyMap<string, Proposal>, changes: readonly string[]): string[] {
  const named = changes.flatMap((change) => Object.values((proposals.get(change) as Proposal).parts).flatMap((part) => Object.keys(part.cuts ?? {})))
  return [OWN_CUT, ...new Set(named)]
}
