/** `putpage trace --pfn`: the whole lives of some pages. */
import { renderLife } from '../report/page-life.ts'
import type { AuditResult } from '../trace/audit.ts'
import type { LifeJudge } from '../trace/judge.ts'
import { PageStories } from '../trace/page-story.ts'

export class PageLives {
  private readonly stories: PageStories
  private readonly pfns: readonly number[]

  constructor(pfns: readonly number[]) {
    this.pfns = pfns
    this.stories = new PageStories(pfns)
  }

  get judge(): LifeJudge {
    return this.stories
  }

  /** One life after the other, in the order they were asked for. */
  text(result: AuditResult, colour: boolean): string {
    return this.pfns
      .map((pfn) => {
        const story = this.stories.stories.get(pfn) ?? []
        const range = result.ranges.find(({ start, end }) => pfn >= start && pfn <= end)
        if (story.length === 0) return `page 0x${pfn.toString(16)}: no event in this trace\n`
        return renderLife(pfn, story, this.stories.cut.has(pfn), result.summary.tables, range?.freeAt, colour)
      })
      .join('\n')
  }
}
