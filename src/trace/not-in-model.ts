/** The words for lives that the model forbids. */
import type { Letter } from '../roles/automaton.ts'
import type { CallEvent } from './call-runs.ts'
import type { Finding } from './finding.ts'
import type { Rejection } from './held-conformance.ts'
import { OP_NAMES, Op } from './page-event.ts'
import type { TraceTables } from './source.ts'

/** Lines of history in a finding. */
const MOST_SHOWN = 6

/** One finding for each place where lives leave the model, that with the most pages first. */
export function notInModel(rejections: readonly Rejection[], kernel: string, tables: TraceTables): Finding[] {
  const groups = new Map<string, Rejection[]>()
  for (const one of rejections) {
    const site = one.event.stack === 0 ? 0 : tables.site(one.event.stack)
    const key = `${one.entry} ${one.unfinished} ${one.event.op} ${one.event.val} ${site}`
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((group): Finding => {
      const [first] = group
      const frames = first.event.stack === 0 ? [] : tables.siteFrames(tables.site(first.event.stack))
      return {
        kind: 'not-in-model',
        // The model may be the one that is wrong; a count that is wrong is found by itself.
        severity: 'info',
        why: why(first, kernel, group.length, tables),
        pages: [...new Set(group.map(({ page }) => page.pfn))].sort((a, b) => a - b),
        references: 0,
        callsites: [{ function: frames[0] ?? '?', class: undefined, stack: frames, references: 0, share: 1 }],
        example: { pfn: first.page.pfn, pid: first.event.pid, time: first.event.time, age: undefined },
      }
    })
}

function why(one: Rejection, kernel: string, pages: number, tables: TraceTables): string {
  const many = pages === 1 ? 'One page' : `${pages.toLocaleString('en-US')} pages`
  const said = operation(one.event, tables)
  const history = one.before.slice(-MOST_SHOWN).map((event) => operation(event, tables))
  const before = history.length === 0 ? 'as the first thing the call does to the page' : `after ${history.join(', ')}`
  const next = [...new Set(one.expected.filter(({ letter }) => letter.done).map(({ letter, chain }) => expected(letter, chain)))]
  const shown = next.length > 3 ? [...next.slice(0, 3), `${next.length - 3} more`] : next
  const model = next.length === 0 ? 'In the model the call does no more to the page.' : `In the model what comes next is ${shown.join(', or ')}.`
  if (one.unfinished)
    return `${many}: a call of ${one.entry}() ended ${history.length > 0 ? `${before}, ` : ''}with ${said}, which the model of ${kernel} does not let it end with. ${model}`
  return `${many}: the model of ${kernel} has no ${said} in a call of ${one.entry}() ${before}. ${model}`
}

/** `get in dax_fault_iter()`, `put to 0 in folio_put()`. */
function operation({ op, val, ret, stack }: CallEvent, tables: TraceTables): string {
  const place = stack === 0 ? '' : ` in ${tables.siteFrames(tables.site(stack))[0]}()`
  switch (op) {
    case Op.set:
      return `count set to ${val}${place}`
    case Op.modUnless:
      return `${ret === 0 ? 'refused ' : ''}get${place}`
    case Op.mod:
    case Op.modAndTest:
    case Op.modAndReturn: {
      const many = Math.abs(val) === 1 ? '' : ` of ${Math.abs(val)}`
      const result = op === Op.modAndReturn ? ` to ${ret}` : op === Op.modAndTest && ret !== 0 ? ' to 0' : ''
      return `${val < 0 ? 'put' : 'get'}${many}${result}${place}`
    }
    default:
      return `${OP_NAMES[op]}(${val})${place}`
  }
}

function expected(letter: Letter, chain: readonly string[]): string {
  return `${letterWords(letter)} in ${chain[chain.length - 1]}()${chain.length > 1 ? ` called by ${chain[chain.length - 2]}()` : ''}`
}

/** What a letter does: `a put of 1024`, `the count set to 1`. */
export function letterWords({ event, value }: Letter): string {
  if (event === 'page_ref_set') return `the count set to ${value ?? 'something'}`
  if (value === undefined) return event
  return `a ${value < 0 ? 'put' : 'get'}${Math.abs(value) === 1 ? '' : ` of ${Math.abs(value)}`}`
}
