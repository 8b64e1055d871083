// Access to another task's memory, for ptrace and /proc/pid/mem: the part of mm/memory.c that copies to and from it.
import { folio_put, put_page } from '../include/linux/mm.ts'
import type { Vma } from '../include/linux/mm_types.ts'
import { lock_page, unlock_page } from '../include/linux/pagemap.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { change } from '../switches.ts'
import { get_user_pages_remote } from './gup.ts'

/**
 * __access_remote_vm() of one page, under the other task's mmap_lock all along: true if something was copied. A copy into the
 * page ends with set_page_dirty_lock(). put_page() gives the page back; unmap_and_put_page(), folio_release_kmap() do so with
 * folio_put(), which knows nothing of fsdax pages that rest at 1.
 */
export function access_remote_vm(vma: Vma, write: boolean): boolean {
  down_read(vma.mm.mmap_lock)
  const page = get_user_pages_remote(vma, write)
  if (page !== null) {
    if (write) {
      lock_page(page)
      unlock_page(page)
    }
    if (change.remote_access_puts_folio) folio_put(page, 'gup')
    else put_page(page, 'gup')
  }
  up_read(vma.mm.mmap_lock)
  return page !== null
}
