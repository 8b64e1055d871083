// The key of a shared futex: kernel/futex/core.c (kernel/futex.c in v5.10). The word lies in a page of a file or in anonymous
// memory; GUP holds the page for as long as it takes to find out which.
import { READ_ONCE } from 'putpage/model'
import { folio_put, put_page } from '../../include/linux/mm.ts'
import type { Page, Vma } from '../../include/linux/mm_types.ts'
import { lock_page, unlock_page } from '../../include/linux/pagemap.ts'
import { rcu_read_lock, rcu_read_unlock } from '../../include/linux/rcupdate.ts'
import { get_user_pages_fast, looks_anonymous } from '../../mm/gup.ts'
import { change } from '../../switches.ts'

/** What the look-up came to: a key made of the inode, one made of the mm, -EFAULT, or that the page has to be looked up again. */
export type FutexKey = 'inode' | 'mm' | 'fault' | 'again'

/** get_futex_key() of a shared futex, for a waiter (`rw` is FUTEX_READ): write access first, as most futexes have it. */
export function get_futex_key(vma: Vma): FutexKey {
  while (true) {
    let ro = false
    let page = get_user_pages_fast(vma, true)
    if (page === null) {
      page = get_user_pages_fast(vma)
      ro = true
    }
    if (page === null) return 'fault'
    const key = key_of_page(page, ro)
    if (key !== 'again') return key
  }
}

/** From the look at page->mapping on. There is no shmem here, whose pages can move to the swap cache: that is tried again. */
function key_of_page(page: Page, ro: boolean): FutexKey {
  // One word in the kernel: a file's mapping, or the anonymous bit.
  const mapping = READ_ONCE(page.mapping)
  // PageAnon(): of the mark of a page that files share, too.
  if (looks_anonymous(page)) {
    put(page)
    return ro ? 'fault' : 'mm'
  }
  if (mapping === null) {
    lock_page(page)
    const shmem_swizzled = page.mapping !== null
    unlock_page(page)
    put(page)
    return shmem_swizzled ? 'again' : 'fault'
  }
  rcu_read_lock()
  // The page is cut off from its file meanwhile, or the inode is being evicted.
  const same_file = READ_ONCE(page.mapping) === mapping
  rcu_read_unlock()
  put(page)
  return same_file ? 'inode' : 'again'
}

/** put_page(); where the function goes by the folio, folio_put(), which knows nothing of fsdax pages that rest at 1. */
function put(page: Page): void {
  if (change.futex_puts_folio) folio_put(page, 'gup')
  else put_page(page, 'gup')
}
