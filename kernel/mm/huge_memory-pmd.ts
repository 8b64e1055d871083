// PMD entries of DAX mappings: mm/huge_memory.c, and the parts of mm/memory.c that decide between a PMD entry and a page
// table. A Pmd lies over the addresses of two pages, which are two Vmas of the model and one of the kernel.
import { READ_ONCE, VM_BUG_ON, WARN_ON_ONCE } from 'putpage/model'
import { dev_dax_huge_fault } from '../drivers/dax/device.ts'
import { ext4_dax_huge_fault } from '../fs/ext4/file.ts'
import { fuse_dax_huge_fault } from '../fs/fuse/dax.ts'
import { xfs_filemap_huge_fault } from '../fs/xfs/xfs_file.ts'
import { get_page, put_page } from '../include/linux/mm.ts'
import { type Page, PMD_NONE, type Pmd, type Vma } from '../include/linux/mm_types.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { type FaultResult, flush_tlb_range, tlb_finish_mmu, zap_pte_range } from './memory.ts'
import { page_add_rmap, page_remove_rmap } from './rmap.ts'
import { release_pages } from './swap.ts'

/**
 * __handle_mm_fault() down to the PMD: a huge fault where nothing is mapped, or where a write meets an entry that may not
 * be written. `fallback`: the page table below decides.
 * @role
 */
export function handle_pmd_fault(vma: Vma, write: boolean): FaultResult {
  const pmd = vma.pmd!
  const orig_pmd = READ_ONCE(pmd.entry)
  if (orig_pmd.kind === 'table') return 'fallback'
  let result: FaultResult = 'done'
  if (orig_pmd.kind === 'none') result = huge_fault(vma, write)
  else if (write && !orig_pmd.write) {
    // wp_huge_pmd()
    result = huge_fault(vma, write)
    if (result === 'fallback') __split_huge_pmd(pmd)
  }
  if (result !== 'fallback') return result
  // handle_pte_fault(): a PMD entry that somebody else made meanwhile is good enough to try the access again.
  const now = READ_ONCE(pmd.entry)
  return now.kind === 'present' ? 'done' : 'fallback'
}

/** vma->vm_ops->huge_fault() of PMD order. */
function huge_fault(vma: Vma, write: boolean): FaultResult {
  const file = vma.file!
  if (!file.huge) return 'fallback'
  switch (file.kind) {
    case 'ext4':
      return ext4_dax_huge_fault(vma, write, true)
    case 'xfs':
      return xfs_filemap_huge_fault(vma, write)
    case 'fuse':
      return fuse_dax_huge_fault(vma, write)
    case 'dev_dax':
      return dev_dax_huge_fault(vma, write)
    default:
      return 'fallback'
  }
}

/** pte_alloc(): a page table where there was nothing. */
export function pte_alloc(vma: Vma): void {
  const pmd = vma.pmd
  if (pmd === null) return
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind === 'none') pmd.entry = { kind: 'table', page: null, write: false }
  spin_unlock(pmd.lock)
}

/** vmf_insert_pfn_pmd() with insert_pfn_pmd(): a devmap entry, which holds nothing. */
export function vmf_insert_pfn_pmd(vma: Vma, page: Page, write: boolean): void {
  insert_pmd(vma.pmd!, page, write, false)
}

/**
 * vmf_insert_folio_pmd(): an entry that holds a reference of the folio and counts as one mapping of it. Since Linux commit
 * 6c88f72691f8 (in v6.15).
 */
export function vmf_insert_folio_pmd(vma: Vma, folio: Page, write: boolean): boolean {
  if (
    WARN_ON_ONCE(
      folio.order !== 1,
      'folio_order(folio) != PMD_ORDER',
      'a PMD entry is to count in a folio, and its pages are single ones: nobody made a folio of them, or it was taken apart',
    )
  )
    return false
  insert_pmd(vma.pmd!, folio, write, true)
  return true
}

/** insert_pmd(). */
function insert_pmd(pmd: Pmd, page: Page, write: boolean, counts: boolean): void {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind === 'none') {
    if (counts) {
      get_page(page, 'pte')
      page_add_rmap(page)
    }
    pmd.entry = { kind: 'present', page, write }
  } else if (write) {
    const other = WARN_ON_ONCE(entry.page !== page, '!is_huge_zero_pmd(*pmd)', 'the page table still maps other pages in this range of the file')
    if (!other) pmd.entry = { kind: 'present', page, write: true }
  }
  spin_unlock(pmd.lock)
}

/**
 * vma_is_special_huge(): true for DAX until the PMD entries of DAX files count; then zap and split give back what the
 * insertion took.
 */
function vma_is_special_huge(): boolean {
  return !change.dax_pmd_accounting
}

/** zap_pmd_range() of a range that covers the whole entry, with its mmu gather. */
export function zap_pmd_range(pmd: Pmd): void {
  const entry = READ_ONCE(pmd.entry)
  if (entry.kind === 'none') return
  if (entry.kind === 'present') {
    if (zap_huge_pmd(pmd)) return
  }
  for (let i = 0; i < 2; i++) tlb_finish_mmu(zap_pte_range(pmd.vmas[i]!))
}

/** zap_huge_pmd(): false if the entry is no huge one by now. The reference is put after the flush, outside of the lock. */
function zap_huge_pmd(pmd: Pmd): boolean {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind !== 'present') {
    spin_unlock(pmd.lock)
    return false
  }
  const page = entry.page!
  pmd.entry = PMD_NONE
  if (!vma_is_special_huge()) remove_rmap_pmd(page)
  spin_unlock(pmd.lock)
  flush_tlb_range()
  if (!vma_is_special_huge()) release_pages(page, 1, 'pte')
  return true
}

/** page_remove_rmap(page, true), folio_remove_rmap_pmd(). */
function remove_rmap_pmd(page: Page): void {
  VM_BUG_ON(page.order !== 1, '!PageHead(page)', 'a PMD entry is unmapped as one of a folio, and its pages are single ones')
  page_remove_rmap(page)
  VM_BUG_ON(page._mapcount < 0, 'page_mapcount(page) < 0', 'a PMD entry that did not count when it was mapped counts when it is unmapped')
}

/** split_huge_pmd(): looks first whether there is a huge entry. */
export function split_huge_pmd(pmd: Pmd): void {
  const entry = READ_ONCE(pmd.entry)
  if (entry.kind === 'present') __split_huge_pmd(pmd)
}

/** __split_huge_pmd() of a file mapping: the entry goes, and faults bring single ones. All of it under the PMD lock. */
function __split_huge_pmd(pmd: Pmd): void {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind === 'present') {
    const page = entry.page!
    // pmdp_huge_clear_flush()
    pmd.entry = PMD_NONE
    flush_tlb_range()
    if (!vma_is_special_huge()) {
      remove_rmap_pmd(page)
      put_page(page, 'pte')
    }
  }
  spin_unlock(pmd.lock)
}
