// Page tables: mm/memory.c.
import { atomic, block_until, may_fail, nr_threads, READ_ONCE, same, WARN_ON, WARN_ON_ONCE, type Word } from 'putpage/model'
import { dev_dax_fault } from '../drivers/dax/device.ts'
import { ext4_dax_huge_fault } from '../fs/ext4/file.ts'
import { fuse_dax_fault } from '../fs/fuse/dax.ts'
import { xfs_filemap_fault } from '../fs/xfs/xfs_file.ts'
import { migrate_to_ram } from '../include/linux/dev_pagemap_ops.ts'
import type { AddressSpace } from '../include/linux/fs.ts'
import { get_page, put_page } from '../include/linux/mm.ts'
import { type Page, PTE_NONE, type Pte, type Vma } from '../include/linux/mm_types.ts'
import { hand_over, page_ref_count } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { trylock_page, unlock_page } from '../include/linux/pagemap.ts'
import { pte_devmap, pte_special } from '../include/linux/pgtable.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { cpus, send_flush_ipi } from './gup.ts'
import { handle_anon_pmd_fault } from './huge_memory.ts'
import { handle_pmd_fault, pte_alloc, split_huge_pmd, zap_pmd_range } from './huge_memory-pmd.ts'
import { mem_cgroup_charge } from './memcontrol.ts'
import { migration_entry_wait, migration_entry_wait_on_locked } from './migrate.ts'
import { alloc_page } from './page_alloc.ts'
import { page_add_new_anon_rmap, page_add_rmap, page_remove_rmap } from './rmap.ts'
import { lru_cache_add, release_pages } from './swap.ts'

/** What a fault came to: the access works or is tried again, or the task gets SIGBUS; a huge fault may fall back to single pages. */
export type FaultResult = 'done' | 'sigbus' | 'fallback'

/**
 * vm_normal_page() of a present entry: false if there is no page to it that anybody counts. A special entry that has no other
 * mark is a bad one.
 */
export function vm_normal_page(vma: Vma): boolean {
  if (!pte_special(vma)) return true
  WARN_ON(!pte_devmap(vma), 'print_bad_pte(vma, addr, pte, NULL)', 'the entry is special and nothing says why: the page table is reported as bad')
  return false
}

/** flush_tlb_range(): by interrupt it waits for every GUP-fast that is under way. */
export function flush_tlb_range(): void {
  if (!change.tlb_flush_ipi) return
  send_flush_ipi()
  for (let t = 0; t < nr_threads(); t++) block_until(() => !cpus.flushed_by_ipi[t], { what: 'flush_tlb_range() waits for interrupts' })
}

/** handle_mm_fault(): a fault on the VMA's one page, under mmap_lock. @role @kernel __handle_mm_fault */
export function handle_mm_fault(vma: Vma, write: boolean): FaultResult {
  if (vma.file !== null) {
    if (vma.pmd !== null) {
      const huge = handle_pmd_fault(vma, write)
      if (huge !== 'fallback') return huge
    }
    return do_shared_fault(vma, write)
  }
  if (vma.pmd !== null) {
    const huge = handle_anon_pmd_fault(vma)
    if (huge !== 'fallback') return huge
  }
  return handle_pte_fault(vma, write)
}

/** handle_pte_fault() of anonymous memory: decides by the entry, read without the page-table lock. */
function handle_pte_fault(vma: Vma, write: boolean): FaultResult {
  const orig_pte = READ_ONCE(vma.pte)
  if (orig_pte.kind === 'none') do_anonymous_page(vma)
  else if (orig_pte.kind === 'present') {
    if (write && !orig_pte.write) do_wp_page(vma, orig_pte)
  } else return do_swap_page(vma, orig_pte)
  return 'done'
}

/**
 * pte_offset_map_lock() of anonymous memory, for who is about to make an entry: false if there is no page table, or none
 * any more. Who looks for an entry that is there need not ask: all entries of a table that is freed are none.
 */
export function pte_offset_map_lock(vma: Vma): boolean {
  spin_lock(vma.ptl)
  if (vma.pmd === null) return true
  if (READ_ONCE(vma.pmd.entry).kind === 'table') return true
  spin_unlock(vma.ptl)
  return false
}

/** do_anonymous_page(): a new page of zeroes; the zero page is left out. */
function do_anonymous_page(vma: Vma): void {
  const page = alloc_page()
  mem_cgroup_charge(page, vma.mm)
  page.data = 0
  if (!pte_offset_map_lock(vma)) {
    put_page(page, 'alloc')
    return
  }
  const pte = vma.pte
  if (pte.kind !== 'none') {
    spin_unlock(vma.ptl)
    put_page(page, 'alloc')
    return
  }
  page_add_new_anon_rmap(page)
  lru_cache_add(page)
  atomic(() => hand_over(page, 'alloc', 'pte'))
  vma.pte = { kind: 'present', page, write: true }
  spin_unlock(vma.ptl)
}

/**
 * do_wp_page() of an anonymous page, wp_can_reuse_anon_folio(): a write to a page that fork() shared. Who is the only one left
 * with it, which is looked at again under the page lock, writes on; otherwise the page is copied.
 */
function do_wp_page(vma: Vma, orig_pte: Pte): void {
  const old = orig_pte.page!
  spin_lock(vma.ptl)
  if (!same(vma.pte, orig_pte)) {
    spin_unlock(vma.ptl)
    return
  }
  if (page_ref_count(old) === 1 && trylock_page(old)) {
    const alone = page_ref_count(old) === 1
    unlock_page(old)
    if (alone) {
      vma.pte = { kind: 'present', page: old, write: true }
      spin_unlock(vma.ptl)
      return
    }
  }
  get_page(old, 'fault')
  spin_unlock(vma.ptl)
  const page = alloc_page()
  mem_cgroup_charge(page, vma.mm)
  page.data = old.data
  spin_lock(vma.ptl)
  if (same(vma.pte, orig_pte)) {
    vma.pte = PTE_NONE
    flush_tlb_range()
    page_add_new_anon_rmap(page)
    lru_cache_add(page)
    atomic(() => hand_over(page, 'alloc', 'pte'))
    vma.pte = { kind: 'present', page, write: true }
    page_remove_rmap(old)
    spin_unlock(vma.ptl)
    put_page(old, 'pte')
  } else {
    spin_unlock(vma.ptl)
    put_page(page, 'alloc')
  }
  put_page(old, 'fault')
}

/** do_swap_page() of the entries that are no swap: the CPU meets a migration or a device-private entry. */
function do_swap_page(vma: Vma, orig_pte: Pte): FaultResult {
  if (orig_pte.kind === 'migration') {
    migration_entry_wait(vma)
    return 'done'
  }
  if (change.fault_takes_reference) return do_device_private_page(vma, orig_pte)
  return migrate_to_ram(vma, orig_pte.page!, true)
}

/**
 * The device-private entry of do_swap_page().
 * Since Linux commit 16ce101db85d ("mm/memory.c: fix race when faulting a device private page") (in v6.1) the entry is
 * looked at again under the page-table lock, and a reference is taken there. Since 1afaeb8293c9 ("mm/migrate: Trylock
 * device page in do_swap_page") (in v6.15) only by who locks the page; since b570f37a2ce4 ("mm: Fix a hmm_range_fault()
 * livelock / starvation problem") (in v7.0) the others sleep until it is unlocked.
 */
function do_device_private_page(vma: Vma, orig_pte: Pte): FaultResult {
  const page = orig_pte.page!
  spin_lock(vma.ptl)
  if (!same(vma.pte, orig_pte)) {
    spin_unlock(vma.ptl)
    return 'done'
  }
  if (change.fault_locks_page) {
    if (!trylock_page(compound_head(page))) {
      if (change.fault_sleeps_on_locked_page) migration_entry_wait_on_locked(vma, page)
      else spin_unlock(vma.ptl)
      return 'done'
    }
  }
  get_page(page, 'fault')
  spin_unlock(vma.ptl)
  const result = migrate_to_ram(vma, page, true)
  // The folio may be another by now.
  if (change.fault_locks_page) unlock_page(compound_head(page))
  put_page(page, 'fault')
  return result
}

/** do_shared_fault(), do_read_fault(): what vma->vm_ops has for this kind of file. @role */
function do_shared_fault(vma: Vma, write: boolean): FaultResult {
  switch (vma.file!.kind) {
    case 'ext4':
      return ext4_dax_huge_fault(vma, write, false)
    case 'xfs':
      return xfs_filemap_fault(vma, write)
    case 'fuse':
      return fuse_dax_fault(vma, write)
    case 'dev_dax':
      return dev_dax_fault(vma, write)
    case 'p2pmem':
      // kernfs_vma_fault(): the file has no fault handler. What it maps it maps at mmap().
      return 'sigbus'
  }
}

/**
 * insert_pfn() for vmf_insert_mixed(): a devmap entry, which holds nothing. Until Linux commit 38607c62b34b ("fs/dax:
 * properly refcount fs dax pages") (in v6.15).
 */
export function vmf_insert_mixed(vma: Vma, page: Page, write: boolean): void {
  pte_alloc(vma)
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind === 'none') vma.pte = { kind: 'present', page, write }
  else if (write) {
    const other = WARN_ON_ONCE(pte.page !== page, '!is_zero_pfn(pte_pfn(*pte))', 'the page table still maps another page at this index of the file')
    if (!other) vma.pte = { kind: 'present', page, write: true }
  }
  spin_unlock(vma.ptl)
}

/**
 * insert_page_into_pte_locked() for vmf_insert_page_mkwrite(): an ordinary entry, with its reference and mapping count.
 * A page at 0 is refused.
 * @kernel insert_page insert_page_into_pte_locked
 */
export function vmf_insert_page_mkwrite(vma: Vma, page: Page, write: boolean): boolean {
  if (page_ref_count(compound_head(page)) === 0) return false
  pte_alloc(vma)
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind === 'none') {
    get_page(page, 'pte')
    page_add_rmap(page)
    vma.pte = { kind: 'present', page, write }
  } else if (write) {
    if (WARN_ON_ONCE(pte.page !== page, '!is_zero_pfn(pte_pfn(pteval))', 'the page table still maps another page at this index of the file')) {
      spin_unlock(vma.ptl)
      return false
    }
    vma.pte = { kind: 'present', page, write: true }
  }
  spin_unlock(vma.ptl)
  return true
}

/**
 * vm_insert_page(): an ordinary entry of a page the caller holds. A page at 0 is refused (-EINVAL), and so is an index that
 * has an entry (-EBUSY). get_locked_pte() may find no memory for the page table (-ENOMEM).
 */
export function vm_insert_page(vma: Vma, page: Page): boolean {
  if (change.vm_insert_page_refuses_zero && page_ref_count(page) === 0) return false
  if (!vma.page_table) {
    if (may_fail()) return false
  }
  spin_lock(vma.ptl)
  const inserted = vma.pte.kind === 'none'
  if (inserted) {
    get_page(page, 'pte')
    page_add_rmap(page)
    vma.pte = { kind: 'present', page, write: true }
  }
  spin_unlock(vma.ptl)
  return inserted
}

/** An mmu gather of one entry: what is left to do when the page-table lock is dropped, the TLB flush and the put of a page. */
type MmuGather = Word<{ flush: boolean; page: Page | null }>

const GATHERED_NOTHING: MmuGather = { flush: false, page: null }

/**
 * zap_pte_range() of one entry: a present one is cleared under the lock, and its page put only after the TLB flush; a
 * device-private one is put under the lock.
 * @kernel unmap_page_range unmap_single_vma unmap_vmas
 */
export function zap_pte_range(vma: Vma): MmuGather {
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind === 'none') {
    spin_unlock(vma.ptl)
    return GATHERED_NOTHING
  }
  const page = pte.page!
  if (pte.kind === 'device_private') {
    zap_device_private(vma, page)
    spin_unlock(vma.ptl)
    return GATHERED_NOTHING
  }
  vma.pte = PTE_NONE
  if (pte.kind === 'migration') {
    spin_unlock(vma.ptl)
    return GATHERED_NOTHING
  }
  const counts = vm_normal_page(vma)
  // The entry of a dirty file page: the flush comes before the lock is dropped (force_flush), the put right after it. Since
  // Linux commit 5df397dec7c4 ("mm: delay page_remove_rmap() until after the TLB has been flushed") (in v6.2) the mapping count
  // falls only after the flush. In this model an entry is dirty if it is writable: it was made so for a write, and cleaning
  // takes both.
  const force_flush = counts && !page.anon && pte.write
  if (force_flush && change.dirty_rmap_at_flush) flush_tlb_range()
  if (counts) {
    page_remove_rmap(page)
    if (page.type === 'fsdax')
      WARN_ON(page._mapcount < 0, 'print_bad_pte(vma, addr, ptent, page)', 'an entry is taken out of the page table that was never counted when it was put in')
  }
  if (force_flush && !change.dirty_rmap_at_flush) flush_tlb_range()
  spin_unlock(vma.ptl)
  if (force_flush) {
    release_pages(page, 1, 'pte')
    return GATHERED_NOTHING
  }
  if (counts) return { flush: true, page }
  return { flush: true, page: null }
}

/** tlb_finish_mmu(), tlb_flush_mmu(). @kernel tlb_batch_pages_flush */
export function tlb_finish_mmu(tlb: MmuGather): void {
  if (tlb.flush) flush_tlb_range()
  if (tlb.page !== null) release_pages(tlb.page, 1, 'pte')
}

/**
 * zap_page_range() of one entry, with its mmu gather. A PMD entry over it, which covers more, is split: all of it is unmapped.
 * @kernel unmap_page_range zap_pte_range unmap_single_vma unmap_vmas zap_page_range_single __zap_vma_range zap_vma_range_batched tlb_batch_pages_flush tlb_flush_mmu tlb_finish_mmu
 */
export function zap_page_range(vma: Vma): void {
  if (vma.file !== null && vma.pmd !== null) split_huge_pmd(vma.pmd)
  tlb_finish_mmu(zap_pte_range(vma))
}

/**
 * The device-private entry of zap_pte_range().
 * Since Linux commit 8018db852594 ("mm: rework swap handling of zap_pte_range") (in v5.18) the page is put, and may be freed,
 * before the entry goes.
 */
function zap_device_private(vma: Vma, page: Page): void {
  if (!change.zap_clears_private_last) vma.pte = PTE_NONE
  else
    WARN_ON_ONCE(!compound_head(page).anon, '!PageAnon(page)', 'the page of a device-private entry was freed, or never belonged to the memory it is mapped in')
  page_remove_rmap(page)
  put_page(page, 'pte')
  if (change.zap_clears_private_last) vma.pte = PTE_NONE
}

/** unmap_mapping_pages() of a range: as that of one page, but a PMD entry within the range is zapped whole. */
export function unmap_mapping_range(mapping: AddressSpace, first: number, last: number): void {
  if (locks_i_mmap(mapping)) down_read(mapping.i_mmap_rwsem)
  unmap_mapping_range_tree(mapping, first, last)
  if (locks_i_mmap(mapping)) up_read(mapping.i_mmap_rwsem)
}

/** i_mmap_rwsem matters only where a PMD entry can be split under it. */
function locks_i_mmap(mapping: AddressSpace): boolean {
  return mapping.huge && change.split_vma_locks_file
}

function unmap_mapping_range_tree(mapping: AddressSpace, first: number, last: number): void {
  for (let i = 0; i < 4; i++) {
    const vma = mapping.i_mmap[i]
    if (vma === null) continue
    if (!vma.linked || vma.index < first || vma.index > last) continue
    if (vma.pmd === null || first > 0 || last === 0) zap_page_range(vma)
    else zap_pmd_of(vma)
  }
}

/** The PMD entry is zapped for the first of its pages; where one of them is unmapped for good, the other one alone. */
function zap_pmd_of(vma: Vma): void {
  const pmd = vma.pmd!
  const other = pmd.vmas[1 - vma.index]!
  if (!other.linked) zap_page_range(vma)
  else if (vma.index === 0) zap_pmd_range(pmd)
}

/** unmap_mapping_pages(): every VMA of the mapping that maps the index; complete, with its puts, when it returns. */
export function unmap_mapping_pages(mapping: AddressSpace, index: number): void {
  if (locks_i_mmap(mapping)) down_read(mapping.i_mmap_rwsem)
  for (let i = 0; i < 4; i++) {
    const vma = mapping.i_mmap[i]
    if (vma === null) continue
    if (vma.linked && vma.index === index) zap_page_range(vma)
  }
  if (locks_i_mmap(mapping)) up_read(mapping.i_mmap_rwsem)
}
