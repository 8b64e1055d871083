// Faults of ext4 files on a DAX device: fs/ext4/file.c.
import type { Vma } from '../../include/linux/mm_types.ts'
import { down_read, up_read } from '../../include/linux/rwsem.ts'
import type { FaultResult } from '../../mm/memory.ts'
import { dax_iomap_pmd_fault, dax_iomap_pte_fault } from '../dax.ts'

/** ext4_dax_huge_fault(): under the mapping's invalidate_lock (before v5.15: i_mmap_sem), shared. */
export function ext4_dax_huge_fault(vma: Vma, write: boolean, pmd: boolean): FaultResult {
  const lock = vma.file!.invalidate_lock
  down_read(lock)
  const result = pmd ? dax_iomap_pmd_fault(vma, write) : dax_iomap_pte_fault(vma, write)
  up_read(lock)
  return result
}
