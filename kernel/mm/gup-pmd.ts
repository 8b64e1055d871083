// get_user_pages() of one page under a PMD entry: mm/gup.c, and follow_devmap_pmd() of mm/huge_memory.c.
import { READ_ONCE, same } from 'putpage/model'
import type { Page, PmdEntry, Vma } from '../include/linux/mm_types.ts'
import { pte_devmap } from '../include/linux/pgtable.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { type Followed, type GupFlags, gup_fast_folio_allowed, gup_must_unshare, gup_put_folio, try_grab_folio, try_grab_page } from './gup.ts'
import { get_dev_pagemap, put_dev_pagemap } from './memremap.ts'

/** The page of this address below a PMD entry. */
function subpage(pmd: PmdEntry, vma: Vma): Page {
  const first = pmd.page!
  return vma.index === 0 ? first : first.next_page!
}

/**
 * gup_huge_pmd(), gup_fast_pmd_leaf(): no lock, interrupts off. While a devmap bit says so, page by page, with the pgmap held;
 * else one reference of the folio of the whole. Linux commit fd2825b0760a ("mm/gup: remove pXX_devmap usage from
 * get_user_pages()") did away with both at once: here the pgmap is one switch, and the bit, which goes a commit later, the other.
 */
export function gup_huge_pmd(vma: Vma, orig: PmdEntry, flags: GupFlags): Page | null {
  if (flags.write && !orig.write) return null
  const page = subpage(orig, vma)
  const devmap = pte_devmap(vma)
  if (flags.longterm && devmap) return null
  if (devmap) return __gup_device_huge_pmd(vma, orig, page, flags)
  // v5.10 takes the reference of the first page's folio: where there is no folio that is another page than the one asked for.
  const grabbed = change.gup_put_folio ? page : orig.page!
  if (!try_grab_folio(grabbed, flags)) return null
  const same_entry = same(orig, READ_ONCE(vma.pmd!.entry))
  if (same_entry && gup_fast_folio_allowed(grabbed, flags) && (orig.write || !gup_must_unshare(grabbed, flags))) return page
  gup_put_folio(grabbed, flags.pin)
  return null
}

/**
 * __gup_device_huge(), gup_fast_devmap_leaf(): the pgmap is given back before the entry is read again.
 * Until v6.9 the reference was taken as under a lock: a test that warns, then an addition. Until Linux commit 6401c4eb57f9
 * (in v5.15) the pgmap was not given back where the page could not be taken.
 */
function __gup_device_huge_pmd(vma: Vma, orig: PmdEntry, page: Page, flags: GupFlags): Page | null {
  const pgmap = change.gup_no_pgmap ? null : get_dev_pagemap()
  if (!change.gup_no_pgmap && pgmap === null) return null
  const got = change.gup_device_huge_tries ? try_grab_folio(page, flags) : try_grab_page(page, flags)
  if (!got) {
    if (pgmap !== null && change.gup_device_huge_puts_pgmap) put_dev_pagemap(pgmap)
    return null
  }
  if (pgmap !== null) put_dev_pagemap(pgmap)
  if (same(orig, READ_ONCE(vma.pmd!.entry))) return page
  // undo_dev_pagemap()
  gup_put_folio(page, flags.pin)
  return null
}

/**
 * follow_pmd_mask(), follow_devmap_pmd(), follow_trans_huge_pmd(), follow_huge_pmd(): the slow path, with the entry read again under
 * the PMD lock. `table`: there is a page table, which decides.
 */
export function follow_pmd_mask(vma: Vma, flags: GupFlags): Followed {
  const orig = READ_ONCE(vma.pmd!.entry)
  if (orig.kind === 'table') return { what: 'table', page: null }
  if (orig.kind !== 'present') return { what: 'fault', page: null }
  spin_lock(vma.pmd!.lock)
  const pmd = vma.pmd!.entry
  if (pmd.kind === 'table') {
    spin_unlock(vma.pmd!.lock)
    return { what: 'table', page: null }
  }
  if (pmd.kind !== 'present' || (flags.write && !pmd.write)) {
    spin_unlock(vma.pmd!.lock)
    return { what: 'fault', page: null }
  }
  const page = subpage(pmd, vma)
  const devmap = pte_devmap(vma)
  const pgmap = devmap && !change.gup_no_pgmap ? get_dev_pagemap() : null
  if (devmap && !change.gup_no_pgmap && pgmap === null) {
    // -EFAULT; below a page table the page would be faulted in again.
    spin_unlock(vma.pmd!.lock)
    return { what: 'error', page: null }
  }
  const unshare = !pmd.write && !devmap && gup_must_unshare(pmd.page!, flags)
  // Without a devmap bit the folio of the first page is taken, whichever page is asked for.
  const grabbed = !unshare && try_grab_page(devmap ? page : pmd.page!, flags)
  spin_unlock(vma.pmd!.lock)
  if (pgmap !== null) put_dev_pagemap(pgmap)
  if (unshare) return { what: 'fault', page: null }
  if (!grabbed) return { what: 'error', page: null }
  return { what: 'page', page }
}
