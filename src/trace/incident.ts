/** What the ledger meets on the way that no page should live through. */
import type { OpenLife } from './accounts.ts'
import type { TrackedPage } from './page-table.ts'

export interface Incident {
  readonly kind: 'below-free' | 'get-on-free' | 'bad-free'
  readonly page: TrackedPage
  readonly site: number
  readonly time: number
  readonly pid: number
  readonly before: number
  readonly after: number
  /** Of `bad-free`: the life that was cut short, with who held the page. */
  readonly life: OpenLife | undefined
  /** Of `bad-free`: what was out was given back, which is what the taking down waits for. */
  over?: boolean
}
