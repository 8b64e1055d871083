/**
 * What a reference is for, and whom to name, read off the stack of its taking. These are functions of the kernel's core (mm/, fs/dax.c, lib/iov_iter.c
 * of 5.10 to 7.3) that take references on behalf of somebody; everything else is that somebody.
 */

export type HolderClass =
  | 'page-table entry'
  | 'GUP pin'
  | 'long-term pin'
  | 'pipe buffer'
  | 'migration'
  | 'fault'
  | 'split'
  | 'driver allocation'
  | 'base reference'
  | 'other'

/** Helpers that change a count for their caller: never to be named. */
const HELPERS =
  /^(_*page_ref_\w+|_*folio_ref_\w+|get_page\w*|put_page\w*|__put_page|_*folio_get\w*|_*folio_put\w*|folios_put\w*|release_pages|try_get_page|try_get_folio|try_get_compound_head|init_page_count|set_page_count|folio_set_count|zone_device_page_init|put_devmap_managed_\w+|__put_devmap_managed_\w+|free_devmap_managed_page|try_grab_\w+|put_compound_head|gup_put_folio|put_page_refs|unpin_user_\w+)$/
/** get_user_pages and what leads to it: the pin is its caller's. */
const GUP =
  /^(follow_\w+|gup_\w+|_*get_user_pages\w*|__gup_\w+|internal_get_user_pages_\w+|lockless_pages_from_mm|internal_\w+_pages_fast|pin_user_pages\w*|__iov_iter_get_pages\w*|iov_iter_get_pages\w*|iov_iter_extract_\w+|undo_dev_pagemap|faultin_page\w*)$/
/** Who pins for as long as user space keeps a buffer registered, a region mapped for a device, a stream set up. */
const LONG =
  /^(ib_umem_\w+|vfio_\w*pin\w*|vaddr_get_pfns?|iommufd_\w+|pfn_reader_\w+|iopt_\w+|io_pin_pages|io_sqe_buffers?_\w+|io_buffer_register\w*|xdp_umem_\w+|vb2_create_framevec|get_vaddr_frames|vhost_vdpa_\w+|rds_pin_pages|gntdev_\w+|privcmd_\w+|mm_iommu_\w+|sev_pin_memory|kvm_gmem_\w+|hl_pin_\w+|afu_dma_\w+|tee_shm_\w+|register_shm_helper|\w+_userptr_\w+|amdgpu_ttm_tt_get_user_pages|pin_longterm_test_\w+)$/
/** A pipe takes a page, or another pipe takes it too. */
const PIPE = /^(generic_pipe_buf_get|iter_to_pipe|copy_page_to_iter_pipe|vmsplice_to_pipe)$/
const PTE =
  /^(remove_migration_p[tm][ed]\w*|insert_page\w*|insert_pfn\w*|insert_pages|insert_p[mu]d\w*|vmf_insert_\w+|copy_page_range|copy_huge_\w+|copy_nonpresent_pte|_*copy_present_p\w+|copy_pte_range|migrate_vma_insert_page|migrate_vma_insert_huge_pmd_page|__migrate_device_pages|migrate_vma_pages|migrate_device_pages|split_huge_pmd\w*|__split_huge_pmd\w*|set_pte\w*|(try_)?restore_exclusive_pte|make_device_exclusive\w*)$/
const MIGRATION =
  /^(migrate_vma_collect\w*|migrate_vma_setup|migrate_vma_prepare|migrate_vma_split_\w+|migrate_device_range|migrate_device_pfn\w*|migrate_device_unmap|migrate_vma_unmap|try_to_migrate\w*|isolate_\w+|migrate_longterm_unpinnable_\w+|collect_longterm_unpinnable_\w+)$/
const FAULT =
  /^(do_swap_page|do_huge_pmd_\w+|dax_fault_iter|dax_iomap_p[tmu][ed]_fault|dax_insert_pfn_mkwrite|handle_pte_fault|do_fault|wp_page_\w+|do_wp_page|numa_migrate_prep|remove_device_exclusive_entry|pagemap_\w+|(__|pmd_)?migration_entry_wait\w*|softleaf_entry_wait\w*)$/
const SPLIT =
  /^(__folio_split|__folio_freeze_and_split_unmapped|folio_split_unmapped|split_folio_to_list|__split_unmapped_folio|__split_huge_page|__split_huge_page_tail|lru_add_split_folio|__folio_migrate_mapping|folio_migrate_mapping)$/
const BASE = /^(memmap_init_zone_device|memmap_init_compound|__init_zone_device_page|__init_single_page|free_zone_device_(page|folio))$/

export interface Holder {
  readonly class: HolderClass
  /** The function to name: the innermost that is neither a helper nor GUP's own; '' without a stack. */
  readonly function: string
}

/**
 * Says what a get with these frames (innermost first) is for. `allocates`: it took a free page, or stored its first count.
 * `pins`: it added GUP's 1024.
 */
export function holderOf(frames: readonly string[], allocates: boolean, pins: boolean): Holder {
  let at = 0
  while (at < frames.length - 1 && HELPERS.test(frames[at])) at++
  let gup = at
  while (gup < frames.length - 1 && GUP.test(frames[gup])) gup++
  const name = frames[gup] ?? ''
  if (frames.slice(0, at + 4).some((frame) => BASE.test(frame))) return { class: 'base reference', function: frames[at] ?? '' }
  if (gup > at || pins) {
    const whose = frames.slice(gup, gup + 4)
    if (whose.some((frame) => /vmsplice/.test(frame))) return { class: 'pipe buffer', function: name }
    return { class: whose.some((frame) => LONG.test(frame)) ? 'long-term pin' : 'GUP pin', function: name }
  }
  const inner = frames[at] ?? ''
  if (PIPE.test(inner)) return { class: 'pipe buffer', function: inner }
  if (SPLIT.test(inner)) return { class: 'split', function: inner }
  if (PTE.test(inner)) return { class: 'page-table entry', function: inner }
  if (MIGRATION.test(inner)) return { class: 'migration', function: inner }
  if (FAULT.test(inner)) return { class: 'fault', function: inner }
  return { class: allocates || frames[0] === 'zone_device_page_init' ? 'driver allocation' : 'other', function: inner }
}

/** Classes whose references last as long as user space likes: their age says nothing. */
export function lastsAtWill(holder: HolderClass): boolean {
  return holder === 'page-table entry' || holder === 'base reference' || holder === 'split' || holder === 'pipe buffer' || holder === 'long-term pin'
}

/** Classes whose references may rightly outlive the call that took them: an I/O under way gives its pages back when it ends. */
export function outlivesCall(holder: HolderClass): boolean {
  return lastsAtWill(holder) || holder === 'GUP pin'
}

/** Classes whose references are given back before the call that took them returns. */
export function endsWithCall(holder: HolderClass): boolean {
  return holder === 'migration' || holder === 'fault'
}

/** Frames between a call and the hardware: the call is what is inside of them. */
const ENTRY =
  /^(entry_\w+|do_syscall_\w+|do_int80\w*|x64_sys_call|ia32_sys_call|syscall_\w+|invoke_syscall\w*|el0\w*|do_el0\w*|asm_\w+|exc_page_fault|do_user_addr_fault|ret_from_fork\w*|system_call\w*|exit_to_user_\w+|irqentry_\w+)$/

/**
 * The call a task is in: the outermost function that is no entry code; '' where the stack does not reach that far. Two different ones of a task, one
 * after the other: the first has returned.
 */
export function callOf(frames: readonly string[]): string {
  let at = frames.length - 1
  while (at >= 0 && ENTRY.test(frames[at])) at--
  return at === frames.length - 1 ? '' : (frames[at] ?? '')
}

const ZAP =
  /^(unmap_page_range|zap_\w+|__zap_\w+|try_to_migrate_one|try_to_unmap_one|set_pmd_migration_entry|migrate_vma_collect_\w+|free_folio_and_swap_cache|free_page_and_swap_cache|free_pages_and_swap_cache|tlb_\w+|__tlb_\w+|exit_mmap)$/

/** Whether a put gives back a page-table entry's reference. */
export function isZap(frames: readonly string[]): boolean {
  let at = 0
  while (at < frames.length - 1 && HELPERS.test(frames[at])) at++
  return ZAP.test(frames[at] ?? '')
}

/** The innermost function that is no helper. */
export function innermost(frames: readonly string[]): string {
  let at = 0
  while (at < frames.length - 1 && HELPERS.test(frames[at])) at++
  return frames[at] ?? ''
}

/** Whether a stack belongs to the taking down of a memory map, where the base reference goes. */
export function isTeardown(frames: readonly string[]): boolean {
  return frames.some((frame) => frame === 'memunmap_pages' || frame === 'devm_memremap_pages_release' || frame === 'devm_memunmap_pages')
}

/** What the stack says of the page's type, where no range does. */
export function shapeOf(frames: readonly string[]): 'private' | 'fsdax' | 'p2pdma' | undefined {
  for (const frame of frames.slice(0, 8)) {
    if (/^(dax_fault_iter|dax_insert_entry|dax_iomap_\w+|dax_associate_entry|dax_layout_\w+)$/.test(frame)) return 'fsdax'
    if (/^p2pmem_\w+|^pci_p2pdma_/.test(frame)) return 'p2pdma'
    if (/^(zone_device_page_init|remove_migration_p[tm][ed]|migrate_vma_\w+|migrate_device_\w+|__migrate_device_\w+|do_huge_pmd_device_private)$/.test(frame))
      return 'private'
    if (frame === 'do_swap_page') return 'private'
  }
  return undefined
}
