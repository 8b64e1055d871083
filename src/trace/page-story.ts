/** Whole lives of chosen pages: every event with the count before and after it, for `--pfn` and for exports. */
import { countAfter } from './count.ts'
import type { LifeJudge } from './judge.ts'
import type { BreakReason, DevicePage } from './life.ts'
import { type EventBatch, eventAt, type PageEvent } from './page-event.ts'

/** Events of a page that are kept. */
const MOST = 200_000

export type StoryEntry =
  | { readonly kind: 'event'; readonly event: PageEvent; readonly before: number; readonly after: number }
  | { readonly kind: 'break'; readonly why: BreakReason; readonly time: number }

/** Collects what happens to some pages. */
export class PageStories implements LifeJudge {
  readonly stories = new Map<number, StoryEntry[]>()
  /** Pages whose story was cut off because it is too long. */
  readonly cut = new Set<number>()

  constructor(pfns: readonly number[]) {
    for (const pfn of pfns) this.stories.set(pfn, [])
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    const story = this.stories.get(page.pfn)
    if (!story) return
    let count = page.count
    for (let i = from; i < to; i++) {
      const after = countAfter(batch, rows[i], count)
      if (story.length < MOST) story.push({ kind: 'event', event: eventAt(batch, rows[i]), before: count, after })
      else this.cut.add(page.pfn)
      count = after
    }
  }

  broken(page: DevicePage, why: BreakReason, time: number): void {
    const story = this.stories.get(page.pfn)
    if (story && story.length < MOST) story.push({ kind: 'break', why, time })
  }

  end(): void {}
}
