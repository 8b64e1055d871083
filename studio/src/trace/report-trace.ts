/** A trace as a report carries it: the timeline is unfolded again, the lives are those that were taken along. */
import { NOT_KNOWN, type Timeline } from '../../../src/report/timeline.ts'
import type { TraceDocument } from '../../../src/report/trace-document.ts'
import type { OpenedTrace } from './model.ts'
import type { TraceReport } from './protocol.ts'

export function reportTrace(document: TraceDocument): OpenedTrace {
  const { rows, lives } = document
  const total = rows.reduce((sum, { counts }) => sum + counts.length, 0)
  const timeline: Timeline = {
    pfns: Float64Array.from(rows, ({ pfn }) => pfn),
    offsets: new Uint32Array(rows.length + 1),
    time: new Float64Array(total),
    count: new Int32Array(total),
    start: document.start,
    end: document.end,
    breaks: [],
  }
  let at = 0
  rows.forEach(({ steps, counts }, row) => {
    let time = 0
    steps.forEach((step, i) => {
      time += step
      timeline.time[at] = time * 1000
      timeline.count[at++] = counts[i] ?? NOT_KNOWN
    })
    timeline.offsets[row + 1] = at
  })
  const byPfn = new Map(lives.map((life) => [life.pfn, life]))
  return {
    name: document.name,
    report: document.report as TraceReport,
    timeline,
    model: document.heldToModel ? 'held' : 'none',
    life: async (page) => byPfn.get(timeline.pfns[page]),
    ...(document.leftOut === '' ? {} : { leftOut: document.leftOut }),
  }
}
