/** A page's whole life as text: a line an event, the count as it goes, who did it. */
import { holderOf } from '../trace/holder.ts'
import { OP_NAMES } from '../trace/page-event.ts'
import type { StoryEntry } from '../trace/page-story.ts'
import type { TraceTables } from '../trace/source.ts'
import { palette } from './palette.ts'
import { grouped } from './wrap.ts'

const BREAKS = {
  lost: 'events may be lost here: the count is unknown',
  search: 'the order of the events cannot be told here: the count is unknown',
  contradiction: 'no order of the events explains what follows',
  reborn: 'the memory map was made anew: another page from here on',
}

/** Renders the life of one page. `freeAt`: the count at which it is free. */
export function renderLife(pfn: number, story: readonly StoryEntry[], cut: boolean, tables: TraceTables, freeAt: number | undefined, colour: boolean): string {
  const paint = palette(colour)
  const lines = [
    `page 0x${pfn.toString(16)}: ${grouped(story.filter(({ kind }) => kind === 'event').length)} events${freeAt === undefined ? '' : `, free at ${freeAt}`}`,
    '',
  ]
  for (const entry of story) {
    if (entry.kind === 'break') {
      lines.push(paint.doubtful(`${seconds(entry.time)}  -- ${BREAKS[entry.why]}`))
      continue
    }
    const { event, before, after } = entry
    const frames = tables.siteFrames(tables.site(event.stack))
    const task = `${tables.comm(event.pid) ?? '<...>'}-${event.pid}`
    const counts = `${number(before)} -> ${number(after)}`
    const holder = event.val > 0 ? holderOf(frames, false, event.val >= 1023) : undefined
    const where = frames.length === 0 ? '' : `  ${frames.slice(0, 4).join(' < ')}`
    const free = freeAt !== undefined && after === freeAt && before !== after ? paint.good('  free') : ''
    const refused = before === after && event.ret === 0 && !Number.isNaN(before) ? paint.faint('  refused') : ''
    lines.push(
      `${seconds(event.time)}  [${String(event.cpu).padStart(3, '0')}] ${task.padEnd(20)} ${OP_NAMES[event.op].slice('page_ref_'.length).padEnd(14)} ${signed(event.val).padStart(6)}  ${counts.padEnd(12)}${free}${refused}${where}${holder ? paint.faint(`  (${holder.class})`) : ''}`,
    )
  }
  if (cut) lines.push(paint.doubtful('the rest is left out: the page has too many events'))
  return `${lines.join('\n')}\n`
}

function seconds(ns: number): string {
  return (ns / 1e9).toFixed(6).padStart(14)
}

function number(count: number): string {
  return Number.isNaN(count) ? '?' : String(count)
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value)
}
