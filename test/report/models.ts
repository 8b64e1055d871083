/** The failures the report tests read, each in a few nodes: a lost wake, a warning, a deadlock of four, a livelock. */

import type { Node } from '../../src/ir/program.ts'
import type { Run } from '../../src/report/run.ts'
import { at, bin, check, column, exploration, load, local, program, thread, trace, value } from './build.ts'

const here = (c: number) => ({ column: c, index: value(0) })
const [COUNT, HELD, PIN, OWNER, QUEUED, WOKEN] = [0, 1, 2, 3, 4, 5]

const page = (holder: string) => [
  column('Page', '_refcount', { kind: 'count', bias: 8 }, 1),
  column('Page', `held.${holder}`, { kind: 'int' }, 1, true),
  column('Page', 'held.gup_pin', { kind: 'int' }, 0, true),
]

/** Changes the count by refs + 8 * pins and the ledger with it, in one step. */
function count(next: number, delta: number, holder: number, position: Node['at'], then: number): Node[] {
  const sign = delta > 0 ? '+' : '-'
  return [
    { op: 'step', at: position, next },
    { op: 'store', access: false, at: position, places: [here(COUNT)], values: [bin(sign, load(COUNT), value(Math.abs(delta)))], next: next + 1 },
    { op: 'store', access: false, at: position, places: [here(holder)], values: [bin(sign, load(holder), value(1))], next: then },
  ]
}

function lostWake(): Run {
  const gup = 'dio_read@scenarios/dio-truncate.ts > iov_iter_get_pages2@kernel/lib/iov_iter.ts > try_grab_folio@kernel/mm/gup.ts'
  const bio = 'dio_read@scenarios/dio-truncate.ts > __bio_release_pages@kernel/block/bio.ts > folio_put_refs@kernel/mm/swap.ts'
  const xfs = 'truncate@scenarios/dio-truncate.ts > xfs_break_dax_layouts@kernel/fs/xfs/xfs_file.ts'
  const busy = `${xfs} > dax_layout_busy_page@kernel/fs/dax.ts`
  const wait = `${xfs} > ___wait_var_event@kernel/include/linux/wait_bit.ts`
  const end = at('truncate@scenarios/dio-truncate.ts', 30, 'return')
  const lock = at(xfs, 812, 'xfs_ilock(inode, XFS_MMAPLOCK_EXCL)')
  const model = program({
    scenario: 'dio-truncate',
    kernel: 'v6.1',
    bounds: '2 threads, 1 page, at most 2 pins',
    columns: [
      ...page('base'),
      column('Inode', 'mmap_lock.owner', { kind: 'thread' }, 0),
      column('WaitQueue', 'queued', { kind: 'bool' }, 0, false, 'wait'),
      column('WaitQueue', 'woken', { kind: 'bool' }, 0, false, 'wait'),
    ],
    checks: [
      check('lost-wake', '___wait_var_event(&page->_refcount)', 'A thread sleeps although what it waits for holds, and nobody is left to wake it.'),
      check('warn', 'WARN_ON_ONCE(page_ref_count(page) <= 0)', 'A reference was taken on a free page.'),
    ],
    threads: [
      thread('dio', [
        ...count(1, 8, PIN, at(gup, 132, 'folio_ref_add(folio, refs * GUP_PIN_COUNTING_BIAS)'), 3),
        ...count(4, -8, PIN, at(bio, 1208, 'if (folio_ref_sub_and_test(folio, refs)) __folio_put(folio)'), 6),
        { op: 'end', at: at('dio_read@scenarios/dio-truncate.ts', 21, 'return') },
      ]),
      thread('truncate', [
        { op: 'step', at: lock, guard: { cond: bin('==', load(OWNER), value(0)), what: 'down_write(inode.mmap_lock)' }, next: 1 },
        { op: 'store', access: false, at: lock, places: [here(OWNER)], values: [value(2)], next: 2 },
        { op: 'load', access: true, at: at(busy, 660, 'if (!mapping_mapped(mapping)) return null'), dsts: [0], places: [here(QUEUED)], next: 3 },
        { op: 'load', access: true, at: at(busy, 671, 'xas_for_each(&xas, entry, end_idx)'), dsts: [0], places: [here(QUEUED)], next: 4 },
        { op: 'load', access: true, at: at(busy, 577, 'if (page_ref_count(page) > 1) return page'), dsts: [0], places: [here(COUNT)], next: 5 },
        { op: 'branch', at: at(xfs, 820, 'if (!page) return 0'), cond: bin('<=', local(0), value(1)), then: 11, else: 6 },
        {
          op: 'store',
          access: true,
          at: at(wait, 51, 'prepare_to_wait(wq_head, &entry, TASK_INTERRUPTIBLE)'),
          places: [here(QUEUED)],
          values: [value(1)],
          next: 7,
        },
        { op: 'load', access: true, at: at(wait, 52, 'if (page_ref_count(page) === 1) break'), dsts: [0], places: [here(COUNT)], next: 8 },
        { op: 'branch', at: at(wait, 52, 'if (page_ref_count(page) === 1) break'), cond: bin('<=', local(0), value(1)), then: 11, else: 9 },
        { op: 'store', access: true, at: at(xfs, 798, 'xfs_iunlock(ip, XFS_MMAPLOCK_EXCL)'), places: [here(OWNER)], values: [value(0)], next: 10 },
        {
          op: 'step',
          at: at(wait, 54, 'schedule()'),
          guard: { cond: bin('!=', load(WOKEN), value(0)), sleepsUntil: bin('==', load(COUNT), value(1)), what: '___wait_var_event(&page->_refcount)' },
          next: 11,
        },
        { op: 'end', at: end },
      ]),
    ],
  })
  const found = trace(model, 0, [0, 1, 1, 1, 1, 1, 1, 1, 0], {
    waiting: [{ thread: 1, what: '___wait_var_event(&page->_refcount)', condition: true }],
  })
  return { exploration: exploration(model, [found]) }
}

function warn(): Run {
  const gup = 'pin_user_pages@scenarios/pin-against-zap.ts > follow_page_pte@kernel/mm/gup.ts'
  const grab = `${gup} > try_grab_page@kernel/mm/gup.ts > try_get_page@kernel/include/linux/mm.ts`
  const zap = 'munmap@scenarios/pin-against-zap.ts > zap_pte_range@kernel/mm/memory.ts'
  const model = program({
    scenario: 'pin-against-zap',
    kernel: 'v5.18',
    changes: ['+no-ptl-in-gup'],
    bounds: '2 threads, 1 page, at most 1 pin',
    columns: [...page('pte'), column('Pte', 'present', { kind: 'bool' }, 1, false, 'mm.pte')],
    checks: [check('warn', 'WARN_ON_ONCE(page_ref_count(page) <= 0)', 'A reference was taken on a page that is free: <0 & counting>.')],
    threads: [
      thread('gup', [
        { op: 'load', access: true, at: at(gup, 588, 'if (!pte_present(pte)) return null'), dsts: [0], places: [here(3)], next: 1 },
        { op: 'load', access: true, at: at(grab, 1192, 'const count = page_ref_count(page)'), dsts: [0], places: [here(COUNT)], next: 2 },
        { op: 'check', at: at(grab, 1193, 'if (WARN_ON_ONCE(count <= 0)) return false'), check: 0, fails: bin('<=', local(0), value(0)), next: 3 },
        { op: 'end', at: at(gup, 599, 'return page') },
      ]),
      thread('munmap', [
        { op: 'store', access: true, at: at(zap, 1403, 'const pte = ptep_get_and_clear_full(mm, addr, pte)'), places: [here(3)], values: [value(0)], next: 1 },
        ...count(2, -1, HELD, at(`${zap} > put_page@kernel/mm/swap.ts`, 1221, 'if (put_page_testzero(page)) __put_page(page)'), 4),
        { op: 'end', at: at(zap, 1444, 'return') },
      ]),
    ],
  })
  return { exploration: exploration(model, [trace(model, 0, [0, 1, 1, 0])]) }
}

/** truncate sleeps on a page that direct I/O gives back without the wake (f4f451a16dd1). */
export const lostWakeRun = lostWake()
/** GUP takes a page that was zapped between the look at the entry and the get. */
export const warnRun = warn()

const lockOf = (owner: number, name: string, self: number, position: Node['at'], next: number, on: number): Node[] => [
  { op: 'step', at: position, guard: { cond: bin('==', load(owner), value(0)), waitsFor: load(owner), what: name }, next },
  { op: 'store', access: false, at: position, places: [here(owner)], values: [value(self)], next: on },
]

function deadlock(): Run {
  const names = ['fault', 'truncate', 'migrate', 'gup']
  const model = program({
    scenario: 'lock-order',
    kernel: 'v7.3',
    bounds: '4 threads, no page',
    columns: names.map((name) => column('Mutex', 'owner', { kind: 'thread' }, 0, false, `${name}_lock`)),
    checks: [check('deadlock', 'deadlock', 'No thread can move: each holds what the next one needs.')],
    threads: names.map((name, t) => {
      const other = (t + 1) % names.length
      const where = `${name}_path@kernel/mm/${name}.ts`
      return thread(name, [
        ...lockOf(t, `mutex_lock(${name}_lock)`, t + 1, at(where, 10, `mutex_lock(${name}_lock)`), 1, 2),
        ...lockOf(other, `mutex_lock(${names[other]}_lock)`, t + 1, at(where, 11, `mutex_lock(${names[other]}_lock)`), 3, 4),
        { op: 'end', at: at(where, 12, 'return') },
      ])
    }),
  })
  const waiting = names.map((_, t) => ({ thread: t, what: `mutex_lock(${names[(t + 1) % names.length]}_lock)`, on: (t + 1) % names.length }))
  return { exploration: exploration(model, [trace(model, 0, [0, 1, 2, 3], { waiting })]) }
}

function livelock(): Run {
  const where = 'fault@scenarios/two-faults.ts > do_swap_page@kernel/mm/memory.ts > migrate_vma_setup@kernel/mm/migrate_device.ts'
  const model = program({
    scenario: 'two-faults',
    kernel: 'v6.1',
    bounds: '2 threads, 1 page',
    columns: page('pte'),
    checks: [check('livelock', 'two faults', 'Both threads move for ever, and neither gets anything done.')],
    threads: ['fault-a', 'fault-b'].map((name) =>
      thread(name, [...count(1, 1, PIN, at(where, 3791, 'get_page(vmf->page)'), 3), ...count(4, -1, PIN, at(where, 3795, 'put_page(vmf->page)'), 0)]),
    ),
  })
  return { exploration: exploration(model, [trace(model, 0, [0, 1, 0, 1, 0], { cycleFrom: 1 })]) }
}

/** Four threads, each with a lock that another one needs. */
export const deadlockRun = deadlock()
/** Two faults on one page that defeat each other (1afaeb8293c9). */
export const livelockRun = livelock()

function fused(): Run {
  const migrate = 'migrate@scenarios/three.ts > migrate_vma_collect_pmd@kernel/mm/migrate_device.ts'
  const lock = at(migrate, 121, 'ptep = pte_offset_map_lock(mm, pmdp, addr, &ptl)')
  const set = at(`${migrate} > set_pte_at@kernel/include/linux/pgtable.ts`, 77, 'set_pte(ptep, pte)')
  const alloc = at('alloc@scenarios/three.ts > svm_migrate_get_vram_page@kernel/drivers/gpu/drm/amd/amdkfd/kfd_migrate.ts', 218, 'if (may_fail()) return null')
  const look = at('reclaim@scenarios/three.ts > isolate@kernel/mm/vmscan.ts', 9, 'if (page_count(page) !== 1) return')
  const bug = 'VM_BUG_ON_PAGE(page_ref_count(page) != 0)'
  const model = program({
    scenario: 'three',
    kernel: 'v6.1',
    bounds: '3 threads, 1 page',
    columns: [...page('base'), column('Mm', 'ptl.owner', { kind: 'thread' }, 0), column('Pte', 'kind', { kind: 'enum', members: ['present', 'migration'] }, 0)],
    checks: [check('bug', bug, 'A page in use was handed out again.', true)],
    threads: [
      thread('migrate', [
        { op: 'step', at: lock, guard: { cond: bin('==', load(3), value(0)), waitsFor: load(3), what: 'spin_lock(mm.ptl)' }, next: 1 },
        { op: 'store', access: false, at: lock, places: [here(3)], values: [value(1)], next: 2 },
        { op: 'store', access: false, at: set, places: [here(4)], values: [value(1)], next: 3 },
        { op: 'end', at: lock },
      ]),
      thread('reclaim', [
        { op: 'load', access: true, at: look, dsts: [0], places: [here(COUNT)], next: 1 },
        { op: 'end', at: look },
      ]),
      thread('alloc', [
        { op: 'choose', at: alloc, dst: 0, count: 2, failure: true, attached: false, next: 1 },
        { op: 'load', access: true, at: { ...alloc, line: 220, text: 'zone_device_page_init(page)' }, dsts: [0], places: [here(COUNT)], next: 2 },
        { op: 'check', at: { ...alloc, line: 221, text: bug }, check: 0, fails: bin('!=', local(0), value(0)), next: 3 },
        { op: 'end', at: alloc },
      ]),
    ],
  })
  return { exploration: exploration(model, [trace(model, 0, [0, 1, [2, 1]])]) }
}

/** Three threads, a step of several source lines, an injected failure and a check that ends the path. */
export const fusedRun = fused()
