/** What holding lives to the model amounted to, over all pages that turned out to be a device's. */
import { type HeldRejection, type HeldResult, REJECTED, UNKNOWN, UNTYPED } from './held-lives.ts'
import type { Conformance } from './judge.ts'
import type { DevicePage } from './life.ts'
import type { SiteFrames } from './source.ts'

/** A life that leaves the model, with its page. */
export type Rejection = Omit<HeldRejection, 'page'> & { readonly page: DevicePage }

/** A life with more unmapped events than this share is not called conforming. */
const UNMAPPED_SHARE = 0.05

/** The rejections with their pages. `pages`: by their index. */
export function rejectionsOf(held: HeldResult, pages: readonly DevicePage[]): Rejection[] {
  return held.rejections.map((one) => ({ ...one, page: pages[one.page] }))
}

/** `pages`: by their index. `device`: whether a page is a device's after all. */
export function conformanceOf(held: HeldResult, pages: readonly DevicePage[], device: (page: DevicePage) => boolean, sites: SiteFrames): Conformance {
  const sum = { pages: 0, conforming: 0, rejected: 0, unknown: 0, unmapped: 0 }
  for (let index = 0; index < pages.length; index++) {
    const type = held.types[index] ?? 0
    if (type === 0 || !device(pages[index])) continue
    const marks = held.marks[index]
    sum.pages++
    sum.unmapped += held.unmapped[index]
    if ((marks & REJECTED) !== 0) sum.rejected++
    else if ((marks & UNKNOWN) !== 0 || type === UNTYPED || held.unmapped[index] > held.events[index] * UNMAPPED_SHARE) sum.unknown++
    else sum.conforming++
  }
  return {
    ...sum,
    rejections: rejectionsOf(held, pages),
    unmappedSites: [...held.unmappedSites]
      .sort((a, b) => b.events - a.events)
      .map(({ site, events }) => ({ stack: site === 0 ? [] : sites.siteFrames(site), events })),
  }
}
