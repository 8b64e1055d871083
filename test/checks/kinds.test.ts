// Every kind of check can fail: one line of the model is made wrong, as a patch may have it wrong, and the check of that kind
// that passed fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckKind } from '../../src/ir/program.ts'
import { failed, failedKinds } from '../model/models.ts'
import { type Edit, mutated, search } from './overlay.ts'

interface Mutation {
  readonly kind: CheckKind
  readonly mistake: string
  readonly scenario: string
  readonly kernel: string
  readonly edits: readonly Edit[]
  /** Part of the id of the check that fails, where the kind alone says little. */
  readonly check?: string
}

const edit = (file: string, from: string, to: string): Edit => ({ file, from, to })
/** Takes a statement out. */
const drop = (file: string, from: string): Edit => edit(file, from, '')

const MUTATIONS: readonly Mutation[] = [
  {
    kind: 'warn',
    mistake: 'fsdax pages are initialised to 0 while their mappings do not count',
    scenario: 'gup-of-mapped-dax',
    kernel: 'v6.1',
    edits: [edit('kernel/mm/page_alloc.ts', "if (pgmap.type === 'fsdax') zero = change.fsdax_free_at_zero", "if (pgmap.type === 'fsdax') zero = true")],
    check: 'try_get_page',
  },
  {
    kind: 'warn',
    mistake: 'a page leaves its file and still says that it belongs to it',
    scenario: 'truncate-of-unmapped-pinned-page',
    kernel: 'v7.3',
    edits: [edit('kernel/fs/dax-associate.ts', '\n  folio.mapping = null\n', '\n')],
    check: 'dax_associate_entry',
  },
  {
    kind: 'bug',
    mistake: 'a driver does not store where its page has its data',
    scenario: 'device-migration-and-fault',
    kernel: 'v6.1',
    edits: [edit('kernel/lib/test_hmm.ts', '    dpage.zone_device_data = backing_data(rpage)\n    return dpage\n', '    return dpage\n')],
    check: 'BACKING_PAGE',
  },
  {
    kind: 'use-after-free',
    mistake: 'memunmap_pages() does not wait for its last reference',
    scenario: 'memunmap-of-allocated-page',
    kernel: 'v6.1',
    edits: [drop('kernel/mm/memremap.ts', '  wait_for_completion(pgmap)\n')],
  },
  {
    kind: 'use-after-free',
    mistake: 'a CPU fault puts its page before it unlocks it',
    scenario: 'driver-remove-of-mapped-page',
    kernel: 'v7.3',
    edits: [
      edit(
        'kernel/mm/memory.ts',
        "  if (change.fault_locks_page) unlock_page(compound_head(page))\n  put_page(page, 'fault')\n",
        "  put_page(page, 'fault')\n  if (change.fault_locks_page) unlock_page(compound_head(page))\n",
      ),
    ],
    check: 'unlock_page',
  },
  {
    kind: 'ledger',
    mistake: 'a reference is given back twice',
    scenario: 'truncate-against-gup',
    kernel: 'v6.1',
    edits: [
      edit(
        'kernel/mm/gup.ts',
        'export function put_user_page(page: Page): void {\n',
        "export function put_user_page(page: Page): void {\n  put_page(page, 'gup')\n",
      ),
    ],
    check: 'a reference is given back that nobody holds',
  },
  {
    kind: 'ledger',
    mistake: 'a plain store goes over a count that somebody holds',
    scenario: 'truncate-against-gup-slow',
    kernel: 'v7.3',
    edits: [
      edit(
        'kernel/include/linux/page_ref.ts',
        'export function page_ref_inc(page: Page, holder: Holder): void {\n  atomic(() => {\n    page._refcount += 1\n',
        'export function page_ref_inc(page: Page, holder: Holder): void {\n  atomic(() => {\n    lose_all(page)\n    page._refcount = 1\n',
      ),
    ],
    check: 'a plain store to the count',
  },
  {
    kind: 'race',
    mistake: 'an entry is inserted without the page-table lock',
    scenario: 'two-dax-faults',
    kernel: 'v6.1',
    edits: [
      edit(
        'kernel/mm/memory.ts',
        'export function vmf_insert_mixed(vma: Vma, page: Page, write: boolean): void {\n  pte_alloc(vma)\n  spin_lock(vma.ptl)\n',
        'export function vmf_insert_mixed(vma: Vma, page: Page, write: boolean): void {\n  pte_alloc(vma)\n',
      ),
    ],
  },
  {
    kind: 'range',
    mistake: 'a count has room for one mapping only',
    scenario: 'two-dax-faults',
    kernel: 'v7.3',
    edits: [edit('kernel/include/linux/mm_types.ts', '_mapcount: Int<-1, 3> = 0', '_mapcount: Int<-1, 1> = 0')],
  },
  {
    kind: 'deadlock',
    mistake: 'a layout break keeps its lock while it waits, and takes it again',
    scenario: 'truncate-against-pin',
    kernel: 'v6.1',
    edits: [drop('kernel/fs/dax-layout.ts', '      up_write(mapping.invalidate_lock)\n')],
  },
  {
    kind: 'lost-wake',
    mistake: 'the put that makes an fsdax page idle does not notice',
    scenario: 'truncate-against-pin',
    kernel: 'v6.1',
    edits: [edit('kernel/mm/memremap.ts', '    if (count === 1) wake_up_var(', '    if (count === 0) wake_up_var(')],
  },
  {
    kind: 'sleeps',
    mistake: 'a pin is never given back',
    scenario: 'truncate-against-pin',
    kernel: 'v6.1',
    edits: [
      drop('kernel/mm/gup.ts', '  gup_put_folio(page, true)\n}\n'),
      edit('kernel/mm/gup.ts', 'export function unpin_user_page(page: Page): void {\n', 'export function unpin_user_page(_page: Page): void {\n}\n'),
    ],
  },
  {
    kind: 'livelock',
    mistake: 'a CPU fault takes its reference without locking the page',
    scenario: 'two-device-faults',
    kernel: 'v7.3',
    edits: [edit('kernel/mm/memory.ts', '    if (!trylock_page(compound_head(page))) {\n', '    if (false as boolean) {\n')],
  },
  {
    kind: 'always',
    mistake: 'truncate does not break the layout first',
    scenario: 'truncate-against-pin',
    kernel: 'v7.3',
    edits: [drop('kernel/fs/ext4/inode.ts', '  ext4_break_layouts(inode)\n')],
    check: 'the device writes into blocks of the file only',
  },
  {
    kind: 'finally',
    mistake: 'truncate frees no block',
    scenario: 'truncate-against-pin',
    kernel: 'v6.1',
    edits: [drop('kernel/fs/ext4/inode.ts', '  free_file_blocks(inode)\n')],
    check: 'the block is free',
  },
  {
    kind: 'finally',
    mistake: 'a migration keeps its reference of a device page',
    scenario: 'device-migration-and-fault',
    kernel: 'v7.3',
    edits: [
      edit(
        'kernel/mm/migrate_device.ts',
        "  if (is_zone_device_page(page)) put_page(page, 'migrate')\n  else putback_lru_page(page)\n",
        '  if (is_zone_device_page(page)) return\n  putback_lru_page(page)\n',
      ),
      edit(
        'kernel/mm/migrate_device.ts',
        "  if (is_zone_device_page(page)) put_page(page, 'migrate')\n  else put_page(page, 'lru')\n",
        "  if (is_zone_device_page(page)) return\n  put_page(page, 'lru')\n",
      ),
    ],
  },
]

for (const { kind, mistake, scenario, kernel, edits, check } of MUTATIONS) {
  test(`${kind} fails if ${mistake} (${scenario}, ${kernel})`, async () => {
    const right = await search(mutated(scenario, kernel, []))
    assert.ok(right.complete && !failedKinds(right).includes(kind), `${kind} passes in the model as it is`)
    const wrong = await search(mutated(scenario, kernel, edits))
    assert.ok(failedKinds(wrong).includes(kind), `${kind} fails; what failed: ${failed(wrong).join(', ') || wrong.verdict}`)
    if (check)
      assert.ok(
        failed(wrong).some((id) => id.startsWith(kind) && id.includes(check)),
        failed(wrong).join(', '),
      )
  })
}

test('vacuous if what the scenario is about never happens', async () => {
  const never = [
    drop('scenarios/truncate-against-pin.ts', '        dma_map_page(transfer, got)\n'),
    drop('scenarios/truncate-against-pin.ts', '        dma_unmap_page(transfer)\n'),
  ]
  const wrong = await search(mutated('truncate-against-pin', 'v6.1', never))
  assert.equal(wrong.verdict, 'vacuous')
  assert.deepEqual(failed(wrong), [])
})

test('vacuous is said of a kernel only, not of one that gives its reason', async () => {
  const gup = (kernel: string) =>
    search(mutated('gup-of-mapped-dax', kernel, [edit('scenarios/gup-of-mapped-dax.ts', 'page.held.gup > 0', 'page.held.gup > 9')]))
  assert.equal((await gup('v6.1')).verdict, 'vacuous')
  assert.equal((await gup('v5.15+seed')).verdict, 'violation')
})

/** A small model of two threads; what no scenario of the package has. */
const small = (first: string, second: string, rest = ''): string => `
import { scenario, struct } from 'putpage/model'
import { Spinlock, spin_lock, spin_unlock } from '../kernel/include/linux/spinlock.ts'
class Pair { a = new Spinlock(); b = new Spinlock(); done = false; also = false }
const pair = struct(Pair)
export default scenario({
  about: 'two threads and two locks',
  bounds: '2 threads',
  threads: {
    one() { ${first} },
    two() { ${second} },
  },
  ${rest}
  sometimes: { 'it ends': () => pair.done },
})
`
const nested = (outer: string, inner: string, body: string): string =>
  `spin_lock(pair.${outer}); spin_lock(pair.${inner}); ${body} spin_unlock(pair.${inner}); spin_unlock(pair.${outer});`

test('deadlock fails if two locks are taken in two orders', async () => {
  const run = (outer: string, inner: string) =>
    search(mutated('small', undefined, [], small(nested('a', 'b', 'pair.done = true;'), nested(outer, inner, 'pair.also = true;'))))
  assert.equal((await run('a', 'b')).verdict, 'pass')
  const crossed = await run('b', 'a')
  assert.deepEqual(failedKinds(crossed), ['deadlock'])
})

test('eventually fails if some path never comes there', async () => {
  const run = (second: string) =>
    search(mutated('small', undefined, [], small('pair.done = true', second, "eventually: { 'both are done': () => pair.done && pair.also },")))
  assert.equal((await run('pair.also = true')).verdict, 'pass')
  assert.deepEqual(failedKinds(await run('if (pair.done) pair.also = true')), ['eventually'])
})
