/** Who hears of references as they are matched: what exports are made of. */
import type { OpenReference } from './open-references.ts'
import type { TrackedPage } from './page-table.ts'

export interface ReferenceListener {
  taken(page: TrackedPage, reference: OpenReference): void
  /** By a put at a site; site 0: the page became free, and no put was matched with it. */
  given(page: TrackedPage, reference: OpenReference, site: number, pid: number, time: number): void
  /** What was known of the page is void: whether it is still open is not known. */
  forgotten(page: TrackedPage, reference: OpenReference, time: number): void
}
