// The end of an address space: kernel/exit.c, exit_mmap() of mm/mmap.c.
import type { Vma } from '../include/linux/mm_types.ts'
import { zap_page_range } from '../mm/memory.ts'

/** exit_mmap() of a process with one VMA: nobody else has the mm any more, so the zap needs no mmap_lock against faults. */
export function exit_mmap(vma: Vma): void {
  zap_page_range(vma)
}
