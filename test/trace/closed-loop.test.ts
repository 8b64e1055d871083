/**
 * The loop closes: what the model does is what the auditor accepts. Random runs of scenarios, written as tracefs text, are read and held to the role
 * automata of the same kernel; with one put taken out they are not, or the reference is named. PUTPAGE_ALL=1 takes every scenario on every kernel.
 */
import { deepEqual, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { select } from '../../src/cli/models.ts'
import { bookOf } from '../../src/cli/role-books.ts'
import type { Program } from '../../src/ir/program.ts'
import { judgeText, runText } from './model-runs.ts'

const ALL = process.env.PUTPAGE_ALL === '1'
/** Each type of page, faults, pins, migrations, truncation. */
const SAMPLE = [
  'device-fault-and-dontneed',
  'gup-of-mapped-dax',
  'device-migration-and-fault',
  'longterm-pin-of-coherent-page-and-dontneed',
  'p2pdma-failed-mmap-against-mmap',
]
const KERNELS = ALL ? ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'] : ['v6.1']
const { model, scenarios } = select(ALL ? [] : SAMPLE)
const programs = new Map<string, Program>()

function program(name: string, kernel: string): Program {
  const key = `${name} ${kernel}`
  const scenario = scenarios.find((one) => one.name === name)
  if (!scenario) throw new Error(`no scenario ${name}`)
  const known = programs.get(key) ?? model.compile(scenario, { kernel })
  programs.set(key, known)
  return known
}

const runs = fc.record({
  on: fc.constantFrom(
    ...KERNELS.flatMap((kernel) => scenarios.filter((one) => one.kernels.length === 0 || one.kernels.includes(kernel)).map(({ name }) => ({ name, kernel }))),
  ),
  seed: fc.nat(1000),
})

/** The blocks of a text: an event, or the stack of the one before. */
const blocksOf = (text: string): string[] => text.split(/\n(?=\s*\S+-\d+ \[)/)

/** The text without one put, and with the counts that follow as they would be then. */
function withoutPut(blocks: readonly string[], put: number): string {
  const pfn = /pfn=\S+ /.exec(blocks[put])?.[0] ?? ''
  const taken = -Number(/val=(-\d+)/.exec(blocks[put])?.[1])
  let open = true
  const kept = blocks.flatMap((block, i) => {
    if (i === put || (i === put + 1 && block.includes('<stack trace>'))) return []
    if (i < put || !open || !block.includes(pfn)) return [block]
    if (block.includes('page_ref_set')) {
      open = false
      return [block]
    }
    const more = (_: string, before: string, count: string): string => `${before}${Number(count) + taken}`
    return [
      block
        .replace(/(count=)(-?\d+)/, more)
        .replace(/(mod_and_return: .*ret=)(-?\d+)/, more)
        .replace(/(mod_and_test: .*ret=)1/, '$10'),
    ]
  })
  return `${kept.join('\n').trimEnd()}\n`
}

describe('runs of the model', () => {
  it('are accepted under their own kernel', async () => {
    const events = { of: 0, unmapped: 0 }
    await fc.assert(
      fc.asyncProperty(runs, async ({ on: { name, kernel }, seed }) => {
        const judged = await judgeText(runText(program(name, kernel), seed), kernel, bookOf(kernel))
        if (!judged) return
        const { result } = judged
        deepEqual(
          result.findings.filter(({ kind }) => kind === 'not-in-model').map(({ why }) => why),
          [],
        )
        events.of += result.deviceEvents
        events.unmapped += result.conformance?.unmapped ?? 0
      }),
      { numRuns: ALL ? 2000 : 60 },
    )
    ok(events.of > 50 && events.unmapped === 0, JSON.stringify(events))
  })

  it('are not with one put taken out, or the reference is named', async () => {
    const found = { rejected: 0, named: 0 }
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(), async ({ on: { name, kernel }, seed }, which) => {
        const blocks = blocksOf(runText(program(name, kernel), seed))
        const gets = new Set<string>()
        // A put of what the set-up took is no loss that a recording could show: nor is that of the base reference, when the memory map goes.
        const puts = blocks.flatMap((block, i) => {
          const pfn = /: page_ref_\w+: (pfn=\S+) flags=reserved/.exec(block)?.[1]
          if (pfn === undefined) return []
          const value = Number(/val=(-?\d+)/.exec(block)?.[1])
          if (value > 0) gets.add(pfn)
          return value < 0 && gets.has(pfn) && !blocks[i + 1]?.includes('=> memunmap_pages') ? [{ i, pfn }] : []
        })
        if (puts.length === 0) return
        const { i, pfn } = puts[which % puts.length]
        const judged = await judgeText(withoutPut(blocks, i), kernel, bookOf(kernel))
        const findings = (judged?.result.findings ?? []).filter(({ pages }) => pages.includes(Number(pfn.slice('pfn='.length))))
        const kinds = findings.map(({ kind }) => kind)
        if (kinds.includes('not-in-model')) found.rejected++
        else if (kinds.length > 0) found.named++
        ok(kinds.length > 0, `${name} on ${kernel}, seed ${seed}: nothing is found without\n${blocks[i]}\n${blocks[i + 1]}`)
      }),
      { numRuns: ALL ? 1000 : 60 },
    )
    ok(found.rejected > 0 && found.named > 0, JSON.stringify(found))
  })
})
