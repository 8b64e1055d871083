/** What the findings say of one page, and at which of its events it shows. */
import type { PageLife } from '../../../src/report/page-references.ts'
import type { TraceFinding } from './protocol.ts'

export const KINDS: Readonly<Record<string, string>> = {
  held: 'still held',
  'silent-idle': 'idle, and nobody was woken',
  'bad-count': 'a count that no order explains',
  'below-free': 'below the free count',
  'get-on-free': 'taken while free',
  'bad-free': 'freed while held',
  'not-in-model': 'a life the model forbids',
}

export interface Wrong {
  readonly title: string
  readonly severity: TraceFinding['severity']
  readonly by: string
  /** Place in the life's events; undefined where it is none of them. */
  readonly event: number | undefined
}

/** Findings that name the page, but for what the model says, which stands by itself. */
export function wrongIn(life: PageLife, findings: readonly TraceFinding[]): Wrong[] {
  return findings
    .filter(({ kind, pages }) => kind !== 'not-in-model' && pages.some((page) => Number(page) === life.pfn))
    .map((finding) => {
      const stacks = new Set(finding.callsites.map(({ stack }) => stack.join(' ')))
      const here = (event: number): boolean => stacks.has(life.sites[life.events[event].site].join(' '))
      const held = finding.kind === 'held' ? life.references.find(({ to, get }) => to === null && here(get))?.get : undefined
      const last = life.events.findLastIndex((_, event) => here(event))
      return {
        title: KINDS[finding.kind] ?? finding.kind,
        severity: finding.severity,
        by: finding.callsites.map((site) => `${site.function}()`).join(', '),
        event: held ?? (last < 0 ? undefined : last),
      }
    })
}
