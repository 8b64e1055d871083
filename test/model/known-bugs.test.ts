// Bugs that were found in real kernels: each is found where it was, absent where it is fixed, and found again in the nearest
// kernel with that one fix taken out. Which check is the bug stands in kernel/known-bugs.ts; what each kernel has, only here.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeBugs } from '../../src/cli/bugs.ts'
import type { Exploration } from '../../src/engine/verdict.ts'
import type { BugReport, BugVerdict } from '../../src/report/bugs.ts'
import { mutated, search } from '../checks/overlay.ts'
import { type Change, failed, models, searched, verdicts } from './models.ts'

/** By bug: its verdict on v5.10, v5.15+seed, v5.18, v6.1, v6.12, v7.3; `-` where nothing is known from outside of the model. */
const EXPECTED: Readonly<Record<string, string>> = {
  'generic-413': 'absent found - absent absent absent',
  'lost-wake-folio-put': 'absent n/a found found found absent',
  'fault-without-reference': 'found found found absent absent absent',
  'break-layouts-ends-early': 'absent n/a absent absent absent absent',
  'unmapped-busy-page': 'found n/a found found found absent',
  'locked-entry-skipped-again': 'absent absent absent absent absent absent',
  'locked-entry-passed-over': 'found absent found found found absent',
  'two-faults-livelock': 'n/a n/a n/a found found absent',
  'unload-frees-mapped-page': 'found found found absent absent absent',
  // On v5.10 another use after free masks it; that v5.10 does not have it is a test of its own below.
  'memunmap-does-not-wait': 'n/a found found absent absent absent',
  'private-reset-race': 'absent absent found absent absent absent',
  'release-pages-bypass': 'absent n/a absent absent absent n/a',
  'reflink-share-count': 'n/a n/a n/a found absent absent',
  'p2pdma-reset-race': 'n/a n/a n/a n/a absent absent',
  'stale-swap-mapping': 'absent absent absent absent found absent',
  'truncate-sleeps-on-refault': 'absent n/a absent absent absent found',
  'uvmem-publish-before-detach': 'found found found found found found',
  'unbind-ignores-pins': 'absent n/a found found found found',
  // Found in the model; no report of them is known to this project.
  'reflink-share-lost': 'n/a n/a n/a - - -',
  'shared-page-looks-anonymous': 'n/a n/a n/a found found absent',
  'cow-write-leaves-old-page': 'n/a n/a n/a - - -',
  'shared-page-held-through-other-file': 'n/a n/a n/a - - -',
  'folio-put-warns-of-used-page': 'n/a n/a n/a - - -',
}
const COLUMNS = ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3']
/** Not known to be fixed anywhere. */
const OPEN = [
  'truncate-sleeps-on-refault',
  'uvmem-publish-before-detach',
  'unbind-ignores-pins',
  'reflink-share-lost',
  'cow-write-leaves-old-page',
  'shared-page-held-through-other-file',
  'folio-put-warns-of-used-page',
]

function expected(bug: string, kernel: string): BugVerdict | undefined {
  const word = EXPECTED[bug]?.split(' ')[COLUMNS.indexOf(kernel)]
  return word === 'n/a' ? 'not applicable' : word === '-' ? undefined : (word as BugVerdict | undefined)
}

const reports = judgeBugs(models(), [])
const report = async (id: string): Promise<BugReport> => (await reports).find((one) => one.id === id) as BugReport
const { model, scenarios } = models()
const ids = [...model.bugs.keys()]

for (const id of ids) {
  for (const { name: kernel } of model.kernels) {
    const verdict = expected(id, kernel)
    if (verdict === undefined) continue
    test(`${id}, ${kernel}: ${verdict}`, async () => {
      const cell = (await report(id)).kernels[kernel]
      assert.equal(cell.verdict, verdict, JSON.stringify(cell))
      if (verdict === 'found') assert.ok((cell.steps ?? 0) > 0 && cell.scenario && cell.check)
      if (verdict === 'not applicable') assert.ok(cell.reason)
    })
  }
  test(`${id}: ${OPEN.includes(id) ? 'no fix is known' : 'found again without its fix'}`, async () => {
    const { reverted } = await report(id)
    if (OPEN.includes(id)) assert.equal(reverted, undefined)
    else assert.equal(reverted?.verdict, 'found', JSON.stringify(reverted))
  })
}

test('every bug that a scenario shows has its checks declared, and every bug is shown', () => {
  const shown = new Set(scenarios.flatMap((one) => one.shows))
  assert.deepEqual([...shown].sort(), [...ids].sort())
  for (const id of ids) assert.ok(EXPECTED[id], `${id} has no row in this test`)
  const kernels = model.kernels.map(({ name }) => name)
  for (const [id, { in: within, not_applicable }] of model.bugs) {
    for (const name of Object.keys(within ?? {})) assert.ok(scenarios.find((one) => one.name === name)?.shows.includes(id), `${name} does not show ${id}`)
    for (const kernel of Object.keys(not_applicable ?? {})) assert.ok(kernels.includes(kernel), `${id}: no kernel ${kernel}`)
  }
})

/** Checks of a bug that are told apart, and its other scenarios: the table says only that one of them found it. */
const EACH: readonly { readonly scenario: string; readonly kernel: string; readonly changes: readonly Change[]; readonly check: string }[] = [
  ...['v5.10', 'v5.15+seed', 'v5.18'].flatMap((kernel) =>
    ['use-after-free:Backing in dmirror_devmem_fault', "always:dmirror_devmem_fault:a CPU fault uses another process's mirror"].map((check) => ({
      scenario: 'device-fault-and-dontneed',
      kernel,
      changes: [],
      check,
    })),
  ),
  ...['v5.10', 'v5.18', 'v6.1', 'v6.12'].map((kernel) => ({
    scenario: 'truncate-of-unmapped-pinned-page',
    kernel,
    changes: [],
    check: 'always:the device does not write into another file',
  })),
  ...(['ext4', 'xfs'] as const).flatMap((fs) =>
    ['v5.10', 'v6.1', 'v6.12'].map((kernel) => ({
      scenario: `truncate-of-two-pinned-pages-${fs}`,
      kernel,
      changes: [`-${fs}_break_layouts_rescans`] as const,
      check: 'always:the device writes into blocks of the file only',
    })),
  ),
  ...['truncate-against-pin', 'truncate-against-pin-and-fault', 'truncate-against-direct-io'].map((scenario) => ({
    scenario,
    kernel: 'v5.18',
    changes: [],
    check: 'lost-wake',
  })),
  ...['v6.1', 'v6.12'].flatMap((kernel) => [
    { scenario: 'truncate-against-pin', kernel, changes: ['-gup_put_folio_devmap'] as const, check: 'lost-wake' },
    { scenario: 'truncate-against-release-pages', kernel, changes: ['-release_pages_devmap_hook'] as const, check: 'lost-wake' },
    { scenario: 'driver-remove-of-mapped-page', kernel, changes: ['-driver_evicts_on_remove'] as const, check: 'sleeps' },
    { scenario: 'memunmap-of-allocated-page', kernel, changes: ['-page_holds_pgmap_reference'] as const, check: 'use-after-free:Page in page_remove_rmap' },
    {
      scenario: 'device-fault-and-dontneed',
      kernel,
      changes: ['-fault_takes_reference'] as const,
      check: 'use-after-free:Backing in dmirror_devmem_fault',
    },
  ]),
  { scenario: 'truncate-against-pin-and-fault', kernel: 'v6.1', changes: ['-gup_put_folio_devmap'], check: 'lost-wake' },
  { scenario: 'driver-remove-of-mapped-page', kernel: 'v7.3', changes: ['-driver_evicts_on_remove'], check: 'sleeps' },
  { scenario: 'memunmap-of-allocated-page', kernel: 'v7.3', changes: ['-page_holds_pgmap_reference'], check: 'use-after-free:Page in page_remove_rmap' },
]

for (const { scenario, kernel, changes, check } of EACH) {
  test(`${[scenario, kernel, ...changes].join(' ')}: ${check} fails`, async () => assertFound(await searched(scenario, kernel, changes), check))
}

function assertFound(result: Exploration, check: string): void {
  assert.ok(result.complete)
  assert.ok(failed(result).includes(check), failed(result).join(', '))
}

function assertPasses(result: Exploration, check: string): void {
  assert.ok(result.complete)
  assert.equal(result.checks.find((one) => result.program.checks[one.check].id === check)?.outcome, 'pass')
}

test('release-pages-bypass: v7.3 has no such code: the fix changes nothing', async () => {
  const [plain, without] = await Promise.all(
    [[], ['-release_pages_devmap_hook' as const]].map((changes) => searched('truncate-against-release-pages', 'v7.3', changes)),
  )
  assert.deepEqual([verdicts(without), without.states, without.transitions], [verdicts(plain), plain.states, plain.transitions])
})

test('lost-wake-folio-put: v6.1 loses no wake where direct I/O gives its references back by put_page()', async () => {
  assertPasses(await searched('truncate-against-direct-io', 'v6.1', ['-bio_release_folio_put']), 'lost-wake')
})

test('unload-frees-mapped-page: where pages hold their pgmap the patch of 2021 frees no mapped page either', async () => {
  const result = await searched('driver-remove-of-mapped-page', 'v5.15+seed', ['+page_holds_pgmap_reference', '+fault_takes_reference'])
  assertPasses(result, 'always:page_free:a device page is freed while an entry maps it')
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
  const check = 'always:memunmap_pages:no page is mapped'
  assertPasses(old, check)
  assertFound(seed, check)
})
