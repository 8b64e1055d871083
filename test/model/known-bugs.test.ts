// Bugs that were found in real kernels: each is found where it was, absent where it is fixed, and found again in the nearest
// kernel with that one fix taken out. By the check that is the bug, not by just any violation; "absent" is a pass of that
// check in a complete search in which the scenario did what it is about.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exploration } from '../../src/engine/verdict.ts'
import { mutated, search } from '../checks/overlay.ts'
import { type Change, failed, models, searched, verdicts } from './models.ts'

/** A kernel in which the bug cannot be: why, and what of it the checker can tell. */
interface NotApplicable {
  readonly why: string
  /**
   * `left out`: the scenario does not run on this kernel. `cannot begin`: what the scenario is about is out of reach, and it
   * says so. `no such code`: the fix, taken out or put in, changes nothing. `other check`: the scenario goes on to another bug.
   */
  readonly because: 'left out' | 'cannot begin' | 'no such code' | 'other check'
}

type Expected = 'found' | 'absent' | NotApplicable

interface Row {
  readonly bug: string
  readonly scenario: string
  /** The check that is the bug, as its id begins; where kernels have different functions, one for each. */
  readonly checks: readonly string[]
  readonly kernels: Readonly<Record<'v5.10' | 'v5.15+seed' | 'v6.1' | 'v7.3', Expected>>
  /** Where it is found again, and without which fix; another scenario or check if what goes wrong there looks different. */
  readonly again: readonly { readonly kernel: string; readonly changes: readonly Change[]; readonly scenario?: string; readonly checks?: readonly string[] }[]
  /** The switch of the fix, for `no such code`. */
  readonly fix?: string
}

const NOT_TAKEN: NotApplicable = {
  because: 'cannot begin',
  why: 'the patch leaves mapped fsdax and device-dax pages at 0 and GUP refuses them: nobody gets the reference the bug is about',
}

const LEFT_BUSY = ['warn:dax_disassociate_entry:trunc', 'warn:dax_folio_put:']

const ROWS: readonly Row[] = [
  {
    bug: 'generic-413',
    scenario: 'gup-of-mapped-dax',
    checks: ['warn:try_get_page:'],
    // The patch sets fsdax pages to 0 and touches neither mm/gup.c nor the insertion of entries.
    kernels: { 'v5.10': 'absent', 'v5.15+seed': 'found', 'v6.1': 'absent', 'v7.3': 'absent' },
    again: [{ kernel: 'v7.3', changes: ['-fsdax_mapping_counts'] }],
  },
  {
    bug: 'fault-without-reference',
    scenario: 'device-fault-and-dontneed',
    checks: ['use-after-free:Backing in dmirror_devmem_fault'],
    // The patch does not touch do_swap_page(): as v5.10.
    kernels: { 'v5.10': 'found', 'v5.15+seed': 'found', 'v6.1': 'absent', 'v7.3': 'absent' },
    again: [{ kernel: 'v6.1', changes: ['-fault_takes_reference'] }],
  },
  {
    bug: 'fault-without-reference',
    scenario: 'device-fault-and-dontneed',
    checks: ["always:dmirror_devmem_fault:a CPU fault uses another process's mirror"],
    kernels: { 'v5.10': 'found', 'v5.15+seed': 'found', 'v6.1': 'absent', 'v7.3': 'absent' },
    again: [{ kernel: 'v6.1', changes: ['-fault_takes_reference'] }],
  },
  {
    bug: 'lost-wake-folio-put',
    scenario: 'truncate-against-direct-io',
    checks: ['lost-wake'],
    kernels: { 'v5.10': 'absent', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'found', 'v7.3': 'absent' },
    again: [],
  },
  {
    bug: 'lost-wake-folio-put',
    scenario: 'truncate-against-pin',
    checks: ['lost-wake'],
    kernels: { 'v5.10': 'absent', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'absent', 'v7.3': 'absent' },
    again: [
      { kernel: 'v6.1', changes: ['-gup_put_folio_devmap'] },
      { kernel: 'v6.1', changes: ['-gup_put_folio_devmap'], scenario: 'truncate-against-pin-and-fault' },
    ],
  },
  ...(['ext4', 'xfs'] as const).map(
    (fs): Row => ({
      bug: 'break-layouts-ends-early',
      scenario: `truncate-of-two-pinned-pages-${fs}`,
      checks: ['always:the device writes into blocks of the file only'],
      kernels: { 'v5.10': 'absent', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'absent', 'v7.3': 'absent' },
      again: ['v5.10', 'v6.1'].map((kernel) => ({ kernel, changes: [`-${fs}_break_layouts_rescans`] })),
    }),
  ),
  {
    bug: 'unmapped-busy-page',
    scenario: 'truncate-of-unmapped-pinned-page',
    checks: LEFT_BUSY,
    kernels: { 'v5.10': 'found', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'found', 'v7.3': 'absent' },
    again: [{ kernel: 'v7.3', changes: ['-unmapped_pages_can_be_busy'] }],
  },
  {
    bug: 'unmapped-busy-page',
    scenario: 'truncate-of-unmapped-pinned-page',
    checks: ['always:the device does not write into another file'],
    kernels: { 'v5.10': 'found', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'found', 'v7.3': 'absent' },
    again: [{ kernel: 'v7.3', changes: ['-unmapped_pages_can_be_busy'] }],
  },
  {
    bug: 'two-faults-livelock',
    scenario: 'two-device-faults',
    checks: ['livelock'],
    kernels: {
      'v5.10': { because: 'left out', why: 'a fault takes no reference' },
      'v5.15+seed': { because: 'left out', why: 'a fault takes no reference: the patch does not touch do_swap_page()' },
      'v6.1': 'found',
      'v7.3': 'absent',
    },
    again: [{ kernel: 'v7.3', changes: ['-fault_locks_page'] }],
  },
  {
    bug: 'unload-frees-mapped-page',
    scenario: 'driver-remove-of-mapped-page',
    checks: ['always:page_free:a device page is freed while an entry maps it'],
    kernels: {
      'v5.10': 'found',
      'v5.15+seed': {
        because: 'other check',
        why: 'the patch has memunmap_pages() put no page any more, so that it frees none: it does not wait, which is memunmap-does-not-wait',
      },
      'v6.1': 'absent',
      'v7.3': 'absent',
    },
    // There the teardown puts no page: without the eviction it waits, for as long as the process has the page.
    again: [
      { kernel: 'v6.1', changes: ['-driver_evicts_on_remove'], checks: ['sleeps'] },
      { kernel: 'v7.3', changes: ['-driver_evicts_on_remove'], checks: ['sleeps'] },
    ],
  },
  {
    bug: 'release-pages-bypass',
    scenario: 'truncate-against-release-pages',
    checks: ['lost-wake'],
    fix: 'release_pages_devmap_hook',
    kernels: {
      'v5.10': 'absent',
      'v5.15+seed': NOT_TAKEN,
      'v6.1': 'absent',
      'v7.3': { because: 'no such code', why: 'there is no hook: the wake is in the free path, at 0' },
    },
    again: [
      { kernel: 'v5.10', changes: ['-release_pages_devmap_hook'] },
      { kernel: 'v6.1', changes: ['-release_pages_devmap_hook'] },
    ],
  },
  {
    bug: 'memunmap-does-not-wait',
    scenario: 'memunmap-of-allocated-page',
    checks: ['use-after-free:Page in page_remove_rmap'],
    kernels: {
      // Each page holds the pgmap until its count is 0. Its own test is below: another use after free masks this check.
      'v5.10': { because: 'left out', why: 'the teardown puts the mapped page, which is another bug: unload-frees-mapped-page' },
      // The patch puts the pgmap references in bulk, and an allocated page takes none.
      'v5.15+seed': 'found',
      'v6.1': 'absent',
      'v7.3': 'absent',
    },
    again: [
      { kernel: 'v6.1', changes: ['-page_holds_pgmap_reference'] },
      { kernel: 'v7.3', changes: ['-page_holds_pgmap_reference'] },
    ],
  },
  {
    bug: 'locked-entry-skipped-again',
    scenario: 'truncate-against-fsync',
    checks: ['warn:truncate_exceptional_entry:a DAX entry is left after the layout break'],
    // Before v7.3 the walk does not wait for a locked entry at all: it passes over it, a finding of its own (next row).
    kernels: { 'v5.10': 'absent', 'v5.15+seed': 'absent', 'v6.1': 'absent', 'v7.3': 'absent' },
    again: [{ kernel: 'v7.3', changes: ['-locked_entry_walk_resets'] }],
  },
  {
    bug: 'a locked entry is passed over (6be3e21d25ca)',
    scenario: 'truncate-against-fsync',
    checks: LEFT_BUSY,
    // On v5.15+seed no page of the file is ever busy, so that nothing is passed over that matters.
    kernels: { 'v5.10': 'found', 'v5.15+seed': 'absent', 'v6.1': 'found', 'v7.3': 'absent' },
    again: [{ kernel: 'v7.3', changes: ['-break_waits_for_locked_entries'] }],
  },
  {
    bug: 'truncate-sleeps-on-refault',
    scenario: 'refault-while-truncate-waits',
    checks: ['sleeps'],
    kernels: { 'v5.10': 'absent', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'absent', 'v7.3': 'found' },
    // Not known to be fixed anywhere.
    again: [],
  },
  {
    bug: 'unbind-ignores-pins',
    scenario: 'unbind-against-pinned-device-dax-page',
    checks: ['use-after-free:Page in '],
    kernels: { 'v5.10': 'absent', 'v5.15+seed': NOT_TAKEN, 'v6.1': 'found', 'v7.3': 'found' },
    // Not known to be fixed anywhere.
    again: [],
  },
]

/** The checks of a search whose id begins with one of these. */
function matching({ program, checks }: Exploration, wanted: readonly string[]): { id: string; outcome: string; steps: number }[] {
  return checks.flatMap(({ check, outcome, counterexample }) => {
    const { id } = program.checks[check]
    return wanted.some((begin) => id.startsWith(begin)) ? [{ id, outcome, steps: counterexample?.steps.length ?? 0 }] : []
  })
}

function assertFound(result: Exploration, checks: readonly string[]): void {
  assert.ok(result.complete)
  const found = matching(result, checks).filter((one) => one.outcome === 'violation')
  assert.ok(found.length > 0, `none of ${checks.join(', ')} failed, but ${failed(result).join(', ') || 'nothing'}`)
  for (const one of found) assert.ok(one.steps > 0, `${one.id} has a counterexample`)
}

function assertAbsent(result: Exploration, checks: readonly string[]): void {
  assert.ok(result.complete)
  assert.notEqual(result.verdict, 'vacuous')
  const asked = matching(result, checks)
  for (const { id, outcome } of asked) assert.equal(outcome, 'pass', id)
  // Code that this kernel never reaches has no checks; then no path may have ended before it was reached.
  if (asked.length === 0) assert.ok(!result.checks.some((one) => one.outcome === 'masked'))
}

async function assertNotApplicable({ scenario, checks, fix }: Row, kernel: string, because: NotApplicable['because'], result: Exploration): Promise<void> {
  assert.ok(!matching(result, checks).some((one) => one.outcome === 'violation') || because === 'left out')
  const declared = models().scenarios.find((one) => one.name === scenario)
  switch (because) {
    case 'left out':
      assert.ok(declared && declared.kernels.length > 0 && !declared.kernels.includes(kernel))
      break
    case 'cannot begin':
      assert.ok(result.sometimes.some((one) => !one.reached && one.exempt !== undefined))
      break
    case 'no such code': {
      const without = await searched(scenario, kernel, [`-${fix}`])
      assert.deepEqual([verdicts(without), without.states, without.transitions], [verdicts(result), result.states, result.transitions])
      break
    }
    case 'other check':
      assert.equal(result.verdict, 'violation')
  }
}

for (const row of ROWS) {
  const asked = row.checks.map((one) => one.replace(/:$/, '')).join(' or ')
  for (const [kernel, expected] of Object.entries(row.kernels)) {
    const said = typeof expected === 'string' ? expected : `not applicable (${expected.why})`
    test(`${row.bug}, ${kernel}: ${said}; ${row.scenario}, ${asked}`, async () => {
      const result = await searched(row.scenario, kernel)
      if (expected === 'found') assertFound(result, row.checks)
      else if (expected === 'absent') assertAbsent(result, row.checks)
      else await assertNotApplicable(row, kernel, expected.because, result)
    })
  }
  for (const { kernel, changes, scenario = row.scenario, checks = row.checks } of row.again) {
    test(`${row.bug}, ${kernel} ${changes.join(' ')}: found again; ${scenario}, ${checks.join(' or ')}`, async () => {
      assertFound(await searched(scenario, kernel, changes), checks)
    })
  }
}

test('lost-wake-folio-put: v6.1 loses no wake where direct I/O gives its references back by put_page()', async () => {
  assertAbsent(await searched('truncate-against-direct-io', 'v6.1', ['-bio_release_folio_put']), ['lost-wake'])
})

test('unload-frees-mapped-page: where pages hold their pgmap the patch of 2021 frees no mapped page either', async () => {
  const result = await searched('driver-remove-of-mapped-page', 'v5.15+seed', ['+page_holds_pgmap_reference', '+fault_takes_reference'])
  assertAbsent(result, ['always:page_free:a device page is freed while an entry maps it'])
})

test('memunmap-does-not-wait: v5.10 takes no memory away whose page is mapped, v5.15+seed does', async () => {
  // On v5.10 a use after free of the put that races with the last one ends paths, so the question is put where the memory goes.
  const asked = {
    file: 'kernel/mm/memremap.ts',
    from: '    retire(pgmap.pages[0]!)\n',
    to: "    expect(pgmap.pages[0]!._mapcount === 0, 'no page is mapped')\n",
  }
  const word = {
    file: 'kernel/mm/memremap.ts',
    from: "import { change } from '../switches.ts'\n",
    to: "import { change } from '../switches.ts'\nimport { expect } from 'putpage/model'\n",
  }
  const [old, seed] = await Promise.all(['v5.10', 'v5.15+seed'].map((kernel) => search(mutated('memunmap-of-allocated-page', kernel, [asked, word]))))
  const check = ['always:memunmap_pages:no page is mapped']
  assertAbsent(old, check)
  assertFound(seed, check)
})

test('the bugs the scenarios say they show are in this table, and each is shown', async () => {
  const shown = new Set(models().scenarios.flatMap((one) => one.shows))
  assert.deepEqual([...shown].filter((bug) => !ROWS.some((row) => row.bug === bug)).sort(), [])
  for (const { bug } of ROWS) if (!bug.includes(' ')) assert.ok(shown.has(bug), bug)
})
