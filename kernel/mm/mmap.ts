// munmap(): mm/mmap.c (mm/vma.c in v7.3).
import type { AddressSpace } from '../include/linux/fs.ts'
import type { Pmd, Vma } from '../include/linux/mm_types.ts'
import { down_write, up_write } from '../include/linux/rwsem.ts'
import { change } from '../switches.ts'
import { split_huge_pmd } from './huge_memory-pmd.ts'
import { tlb_finish_mmu, zap_pte_range } from './memory.ts'

/**
 * mmap_region(), __mmap_new_vma(), of a file: the file's own mmap() comes first, and then the VMA is put where
 * unmap_mapping_pages() finds it. False if the file refused.
 */
export function mmap_region(vma: Vma, call_mmap: () => boolean): boolean {
  down_write(vma.mm.mmap_lock)
  const mapped = call_mmap()
  if (mapped) vma.linked = true
  up_write(vma.mm.mmap_lock)
  return mapped
}

/**
 * munmap() of the whole VMA: unmap_vmas() zaps, free_pgtables() takes the VMA out of i_mmap, and only tlb_finish_mmu() flushes
 * and puts what was zapped: in between nothing maps the file, and its pages are held. i_mmap_rwsem, which keeps
 * unmap_mapping_pages() and the second part apart, is left out: the entry is gone by then.
 * @kernel __vm_munmap __do_munmap do_mas_munmap do_mas_align_munmap do_vmi_munmap do_vmi_align_munmap vms_complete_munmap_vmas unmap_region
 */
export function munmap(vma: Vma): void {
  down_write(vma.mm.mmap_lock)
  if (vma.file !== null && vma.pmd !== null) split_vma(vma.file, vma.pmd)
  const tlb = zap_pte_range(vma)
  vma.linked = false
  tlb_finish_mmu(tlb)
  up_write(vma.mm.mmap_lock)
}

/**
 * split_vma() of the mapping of one of the pages of a PMD entry: the entry is split. Since vma_prepare() (after v6.1, by v6.12) comes
 * first, under i_mmap_rwsem; before, with nothing but mmap_lock.
 */
function split_vma(file: AddressSpace, pmd: Pmd): void {
  if (change.split_vma_locks_file) down_write(file.i_mmap_rwsem)
  split_huge_pmd(pmd)
  if (change.split_vma_locks_file) up_write(file.i_mmap_rwsem)
}
