// madvise(MADV_DONTNEED): mm/madvise.c. It zaps under mmap_lock for reading, so that faults run beside it.
import type { Vma } from '../include/linux/mm_types.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { zap_page_range } from './memory.ts'

/** madvise_dontneed_single_vma(), madvise_dontneed_free(). */
export function madvise_dontneed(vma: Vma): void {
  down_read(vma.mm.mmap_lock)
  zap_page_range(vma)
  up_read(vma.mm.mmap_lock)
}
