// munmap(): mm/mmap.c (mm/vma.c in v7.3).
import type { Vma } from '../include/linux/mm_types.ts'
import { down_write, up_write } from '../include/linux/rwsem.ts'
import { zap_page_range } from './memory.ts'

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
 * munmap() of the whole VMA: unmap_vmas() zaps, free_pgtables() takes the VMA out of i_mmap. The kernel gives the
 * references of what it zapped back after that (tlb_finish_mmu()); here before, which nobody can tell: where such entries
 * hold references, nobody asks whether the file is mapped. i_mmap_rwsem, which keeps unmap_mapping_pages() and the second
 * half apart, is left out: the entry is gone by then.
 * @kernel __vm_munmap __do_munmap do_mas_munmap do_mas_align_munmap do_vmi_munmap do_vmi_align_munmap vms_complete_munmap_vmas unmap_region
 */
export function munmap(vma: Vma): void {
  down_write(vma.mm.mmap_lock)
  zap_page_range(vma)
  vma.linked = false
  up_write(vma.mm.mmap_lock)
}
