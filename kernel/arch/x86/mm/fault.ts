// A user's access to memory, and the page fault it may raise: arch/x86/mm/fault.c.
import { atomic, type Int, READ_ONCE } from 'putpage/model'
import type { Vma } from '../../../include/linux/mm_types.ts'
import { folio_page } from '../../../include/linux/page-flags.ts'
import { down_read, up_read } from '../../../include/linux/rwsem.ts'
import { type FaultResult, handle_mm_fault } from '../../../mm/memory.ts'

/**
 * A load or store by the user at the VMA's one page. The hardware walks the page table without any lock; if the entry
 * does not allow the access, do_user_addr_fault() takes mmap_lock and the access is tried again.
 */
export function user_access(vma: Vma, write: boolean): FaultResult {
  while (true) {
    if (vma.pmd !== null) {
      const pmd = READ_ONCE(vma.pmd.entry)
      if (pmd.kind === 'present' && (pmd.write || !write)) return 'done'
    }
    const pte = READ_ONCE(vma.pte)
    if (pte.kind === 'present' && (pte.write || !write)) return 'done'
    if (do_user_addr_fault(vma, write) === 'sigbus') return 'sigbus'
  }
}

/** A load by the user: whose data it saw; -1 is SIGBUS. */
export function user_load(vma: Vma): number {
  let seen: Int<-1, 3> = -1
  while (true) {
    if (vma.pmd !== null) {
      const pmd = vma.pmd
      atomic(() => {
        const entry = READ_ONCE(pmd.entry)
        if (entry.kind === 'present') seen = folio_page(entry.page!, vma.index).data
      })
      if (seen >= 0) return seen
    }
    atomic(() => {
      const pte = READ_ONCE(vma.pte)
      if (pte.kind === 'present') seen = pte.page!.data
    })
    if (seen >= 0) return seen
    if (do_user_addr_fault(vma, false) === 'sigbus') return -1
  }
}

/** do_user_addr_fault(): an address that no VMA covers any more is SIGSEGV, told as SIGBUS here. */
function do_user_addr_fault(vma: Vma, write: boolean): FaultResult {
  down_read(vma.mm.mmap_lock)
  if (!vma.linked) {
    up_read(vma.mm.mmap_lock)
    return 'sigbus'
  }
  const result = handle_mm_fault(vma, write)
  up_read(vma.mm.mmap_lock)
  return result
}
