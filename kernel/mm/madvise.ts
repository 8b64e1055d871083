// madvise(MADV_DONTNEED): mm/madvise.c. It zaps under mmap_lock for reading, so that faults run beside it.
import type { Pmd, Vma } from '../include/linux/mm_types.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { split_anon_huge_pmd, zap_anon_pmd_range } from './huge_memory.ts'
import { zap_page_range } from './memory.ts'

/** madvise_dontneed_single_vma(), madvise_dontneed_free(). */
export function madvise_dontneed(vma: Vma): void {
  down_read(vma.mm.mmap_lock)
  // A huge entry that covers more is split first.
  if (vma.pmd !== null && vma.file === null) split_anon_huge_pmd(vma.pmd, false)
  zap_page_range(vma)
  up_read(vma.mm.mmap_lock)
}

/** The same of a range that a PMD covers. */
export function madvise_dontneed_pmd(pmd: Pmd): void {
  const mm = pmd.vmas[0]!.mm
  down_read(mm.mmap_lock)
  zap_anon_pmd_range(pmd)
  up_read(mm.mmap_lock)
}
