// get_user_pages(): mm/gup.c. One page at a time.
import { atomic, me, nr_threads, type PerThread, perThread, READ_ONCE, same, struct, VM_WARN_ON, WARN_ON_ONCE, type Word } from 'putpage/model'
import { is_device_coherent_page, is_pci_p2pdma_page, page_is_devmap_managed } from '../include/linux/memremap.ts'
import { folio_put_refs, get_page, get_page_unless_zero, put_page, try_get_page } from '../include/linux/mm.ts'
import { GUP_PIN_COUNTING_BIAS, type Holder, type Page, type Vma } from '../include/linux/mm_types.ts'
import { page_ref_add_pin, page_ref_add_to_pin, page_ref_count, page_ref_inc, page_ref_sub_from_pin } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { pte_devmap, pte_special } from '../include/linux/pgtable.ts'
import { local_irq_restore, local_irq_save, rcu } from '../include/linux/rcupdate.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { follow_pmd_mask, gup_huge_pmd } from './gup-pmd.ts'
import { handle_mm_fault, vm_normal_page } from './memory.ts'
import { get_dev_pagemap, put_dev_pagemap, put_devmap_managed_page_refs } from './memremap.ts'
import { migrate_device_coherent_page } from './migrate_device.ts'

/** Which of the CPUs that run with interrupts off a TLB flush by interrupt still waits for. */
class Cpus {
  flushed_by_ipi: PerThread<boolean> = perThread(false)
}
export const cpus = struct(Cpus)

/** local_irq_restore(): interrupts that wait for this CPU are answered. */
function answer_interrupts(): void {
  atomic(() => {
    local_irq_restore()
    cpus.flushed_by_ipi[me()] = false
  })
}

/** The interrupts of a TLB flush are sent: CPUs that have interrupts off will answer when they turn them on. */
export function send_flush_ipi(): void {
  atomic(() => {
    for (let t = 0; t < nr_threads(); t++) cpus.flushed_by_ipi[t] = rcu.irqs_off[t]
  })
}

/** gup_flags: FOLL_PIN (without it FOLL_GET), FOLL_WRITE, FOLL_LONGTERM, FOLL_PCI_P2PDMA. */
export type GupFlags = Word<{ pin: boolean; write: boolean; longterm: boolean; p2pdma: boolean }>

/** A p2pdma page is for callers that passed FOLL_PCI_P2PDMA: other devices may not be able to reach it. Since v6.2. */
function refuses_p2pdma(page: Page, flags: GupFlags): boolean {
  return change.gup_refuses_p2pdma && !flags.p2pdma && is_pci_p2pdma_page(page)
}

/**
 * try_grab_page(), try_grab_folio() of the slow path, under the page-table lock: the test and the addition are two steps.
 * @kernel try_grab_folio @reference
 */
export function try_grab_page(small: Page, flags: GupFlags): boolean {
  const page = compound_head(small)
  // -EREMOTEIO. The test of the count, which comes first, decides the same.
  if (refuses_p2pdma(page, flags)) return false
  if (!flags.pin) return try_get_page(page, 'gup')
  if (
    WARN_ON_ONCE(
      page_ref_count(page) <= 0,
      'page_ref_count(page) <= 0',
      'the page that pin_user_pages() meets has a count of 0: to the count nobody holds it, so it cannot be pinned, and the I/O fails',
    )
  )
    return false
  if (page.order === 1) pin_large_folio(page)
  else page_ref_add_pin(page)
  return true
}

/**
 * is_pinnable_page(), folio_is_longterm_pinnable(): not what must be able to go away.
 * Since Linux commit e5cb23256347 ("mm/gup: don't allow FOLL_LONGTERM pinning of FS DAX pages") (in v6.15) fsdax pages are
 * among that; coherent pages since there are any.
 */
function folio_is_longterm_pinnable(page: Page): boolean {
  if (change.device_coherent && is_device_coherent_page(page)) return false
  return !(change.fsdax_not_longterm_pinnable && page.type === 'fsdax')
}

/**
 * try_grab_compound_head(), try_grab_folio(), try_grab_folio_fast() of the fast path: one more unless the page is free. A pin
 * is completed by a second addition. What must not be pinned for long is refused; v6.12 asks when the reference is already there.
 * @kernel try_grab_compound_head try_get_compound_head try_get_folio try_grab_folio_fast @reference
 */
export function try_grab_folio(small: Page, flags: GupFlags): boolean {
  // Before any reference is held: the type, and page->pgmap, are read of a page that only its entry vouches for.
  if (refuses_p2pdma(small, flags)) return false
  if (!change.gup_fast_asks_pinnable_last && flags.longterm && !folio_is_longterm_pinnable(small)) return false
  let page = compound_head(small)
  while (true) {
    if (!try_get_folio(page)) return false
    const head = compound_head(small)
    if (head === page) break
    // The folio was made or taken apart meanwhile. v5.10 gives up, the others try again.
    put_gup_references(page, false)
    if (!change.gup_put_folio) return false
    page = head
  }
  if (change.gup_fast_asks_pinnable_last && flags.longterm && !folio_is_longterm_pinnable(page)) {
    gup_put_folio(page, false)
    return false
  }
  if (flags.pin) {
    if (page.order === 1) pincount_add(page, 1)
    else page_ref_add_to_pin(page)
  }
  return true
}

/** The reference of try_get_folio(): one more unless the folio is free. */
function try_get_folio(page: Page): boolean {
  if (
    WARN_ON_ONCE(
      page_ref_count(page) < 0,
      'folio_ref_count(folio) < 0',
      'the page that get_user_pages_fast() meets has a count below 0: somebody gave back more references than were taken',
    )
  )
    return false
  return get_page_unless_zero(page, 'gup')
}

/** A pin of a large folio is one reference, and one in its _pincount; in the ledger a reference of GUP. */
function pin_large_folio(folio: Page): void {
  page_ref_inc(folio, 'gup')
  pincount_add(folio, 1)
}

/** hpage_pincount_add(), hpage_pincount_sub(), atomic_add(&folio->_pincount). */
function pincount_add(folio: Page, n: number): void {
  atomic(() => {
    folio._pincount += n
  })
}

/**
 * put_compound_head() (v5.10), gup_put_folio(): gives back what GUP took.
 * Since Linux commit d8ddc099c6b3 ("mm/gup: Add gup_put_folio()") (in v5.18) in one step; since f4f451a16dd1 ("mm: fix
 * missing wake-up event for FSDAX pages") (in v6.0) through the hook of fsdax pages.
 * @kernel put_compound_head @reference
 */
export function gup_put_folio(small: Page, pin: boolean): void {
  const page = compound_head(small)
  if (pin && page.order === 1) {
    pincount_add(page, -1)
    put_gup_references(page, false)
  } else put_gup_references(page, pin)
}

function put_gup_references(page: Page, pin: boolean): void {
  const holder: Holder = pin ? 'pin' : 'gup'
  const refs = pin ? GUP_PIN_COUNTING_BIAS : 1
  if (!change.gup_put_folio) {
    // put_page_refs()
    if (VM_WARN_ON(page_ref_count(page) < refs, 'page_ref_count(page) < refs', 'more references are given back than the page has')) return
    if (pin) page_ref_sub_from_pin(page)
    put_page(page, 'gup')
    return
  }
  if (change.gup_put_folio_devmap && page_is_devmap_managed(page)) {
    put_devmap_managed_page_refs(page, refs, holder)
    return
  }
  folio_put_refs(page, refs, holder)
}

/** unpin_user_page(), unpin_user_folio(). @kernel unpin_user_folio unpin_user_pages unpin_user_pages_dirty_lock */
export function unpin_user_page(page: Page): void {
  gup_put_folio(page, true)
}

/** put_page() of FOLL_GET references. */
export function put_user_page(page: Page): void {
  put_page(page, 'gup')
}

/**
 * gup_pte_range(), gup_fast_pte_range(): no lock, interrupts off. The entry is read, the page taken, and the entry read
 * again: a zap that came in between is seen by the second read, or by the zap's owner as a reference. `write` is FOLL_WRITE.
 */
function gup_pte_range(vma: Vma, flags: GupFlags): Page | null {
  const pte = READ_ONCE(vma.pte)
  if (pte.kind !== 'present' || (flags.write && !pte.write)) return null
  const page = pte.page!
  // Until the bit went, a devmap entry is refused for FOLL_LONGTERM.
  if (flags.longterm && pte_devmap(vma)) return null
  // A special entry without that mark is none that GUP may take.
  if (pte_special(vma) && !pte_devmap(vma)) return null
  const devmap = !change.gup_no_pgmap && pte_devmap(vma)
  const pgmap = devmap ? get_dev_pagemap() : null
  if (devmap && pgmap === null) return null
  let got: Page | null = null
  if (try_grab_folio(page, flags)) {
    const same_entry = same(pte, READ_ONCE(vma.pte))
    const allowed = same_entry && gup_fast_folio_allowed(page, flags) && (pte.write || !gup_must_unshare(page, flags))
    if (allowed) got = page
    else gup_put_folio(page, flags.pin)
  }
  if (pgmap !== null) put_dev_pagemap(pgmap)
  return got
}

/** gup_pmd_range(), gup_fast_pmd_range(): a huge entry is taken as it is, a page table is walked. */
function gup_pmd_range(vma: Vma, flags: GupFlags): Page | null {
  if (vma.pmd !== null) {
    const pmd = READ_ONCE(vma.pmd.entry)
    if (pmd.kind === 'present') return gup_huge_pmd(vma, pmd, flags)
    if (pmd.kind !== 'table') return null
  }
  return gup_pte_range(vma, flags)
}

/**
 * folio_fast_pin_allowed(), gup_fast_folio_allowed(): with the page held, page->mapping, one word, is read once.
 * Since Linux commit a6e79df92e4a ("mm/gup: disallow FOLL_LONGTERM GUP-fast writing to file-backed mappings") (in v6.5) a
 * long-term pin for writing is left to the slow path if the page is of a file, or of nobody known (mapping NULL); there is
 * no shmem. v6.12 leaves every page of nobody known to the slow path, as it might have been secret memory.
 */
export function gup_fast_folio_allowed(small: Page, flags: GupFlags): boolean {
  const page = compound_head(small)
  if (change.gup_fast_refuses_files && flags.pin && flags.longterm && flags.write) return looks_anonymous(page)
  if (!change.gup_fast_refuses_unknown) return true
  // Secret memory is single pages.
  if (page.order === 1) return true
  return atomic(() => looks_anonymous(page) || page.mapping !== null)
}

/** PageAnon(), folio_test_anon(): PAGE_MAPPING_ANON in page->mapping; the mark of a page that files share, PAGE_MAPPING_DAX_SHARED, is the same bit. */
export function looks_anonymous(page: Page): boolean {
  return page.anon || (!change.dax_shared_without_marker && page.dax_shared)
}

/**
 * gup_must_unshare(): a pin that only reads may be of an anonymous page only if nobody else has it (PageAnonExclusive()). Of
 * anonymous memory such pins are left out; what is left are pages of DAX files that PageAnon() takes for anonymous ones.
 */
export function gup_must_unshare(page: Page, flags: GupFlags): boolean {
  if (!change.anon_exclusive || !flags.pin || flags.write) return false
  return looks_anonymous(compound_head(page))
}

/**
 * lockless_pages_from_mm(), gup_fast(): a pin watches fork() by the mm's sequence counter; if one began in between,
 * everything is given back.
 */
function lockless_pages_from_mm(vma: Vma, flags: GupFlags): Page | null {
  const mm = vma.mm
  const seq = flags.pin ? mm.write_protect_seq : 0
  if (seq % 2 === 1) return null
  local_irq_save()
  const page = gup_pmd_range(vma, flags)
  answer_interrupts()
  if (flags.pin && page !== null && mm.write_protect_seq !== seq) {
    gup_put_folio(page, true)
    return null
  }
  return page
}

/** What follow_page_mask() gives: a page with its reference, "no page" or "unshare" (fault it in), or an error; of a PMD also "look below". */
export type Followed = Word<{ what: 'page' | 'fault' | 'error' | 'table'; page: Page | null }>

/** follow_page_pte(): under the page-table lock. */
function follow_page_pte(vma: Vma, flags: GupFlags): Followed {
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind !== 'present' || (flags.write && !pte.write)) {
    spin_unlock(vma.ptl)
    return { what: 'fault', page: null }
  }
  const page = pte.page!
  if (!vm_normal_page(vma) && !pte_devmap(vma)) {
    // follow_pfn_pte(): there is something, but no page.
    spin_unlock(vma.ptl)
    return { what: 'error', page: null }
  }
  const devmap = !change.gup_no_pgmap && pte_devmap(vma)
  const pgmap = devmap ? get_dev_pagemap() : null
  if (devmap && pgmap === null) {
    spin_unlock(vma.ptl)
    return { what: 'fault', page: null }
  }
  // -EMLINK: a fault with FAULT_FLAG_UNSHARE, which is one like any other in a mapping that is no private one.
  const unshare = !pte.write && gup_must_unshare(page, flags)
  const grabbed = !unshare && try_grab_page(page, flags)
  spin_unlock(vma.ptl)
  if (pgmap !== null) put_dev_pagemap(pgmap)
  if (unshare) return { what: 'fault', page: null }
  if (!grabbed) return { what: 'error', page: null }
  return { what: 'page', page }
}

/** follow_page_mask(), down to where the page is mapped. */
function follow_page_mask(vma: Vma, flags: GupFlags): Followed {
  if (vma.pmd !== null) {
    const followed = follow_pmd_mask(vma, flags)
    if (followed.what !== 'table') return followed
  }
  return follow_page_pte(vma, flags)
}

/** __get_user_pages() of the slow path, under mmap_lock: faults the page in until it is there. */
function __get_user_pages(vma: Vma, flags: GupFlags): Page | null {
  // find_vma(): munmap() may have taken the VMA away.
  while (vma.linked) {
    const followed = follow_page_mask(vma, flags)
    if (followed.what !== 'fault') return followed.page
    if (handle_mm_fault(vma, flags.write) === 'sigbus') return null
  }
  return null
}

/** __get_user_pages_locked(), of who has no lock yet. @kernel get_user_pages_unlocked */
function __get_user_pages_locked(vma: Vma, flags: GupFlags): Page | null {
  down_read(vma.mm.mmap_lock)
  const page = __get_user_pages(vma, flags)
  up_read(vma.mm.mmap_lock)
  return page
}

/** vma_is_fsdax(): a DAX file, not a device. */
function vma_is_fsdax(vma: Vma): boolean {
  const file = vma.file
  return file !== null && file.kind !== 'dev_dax' && file.kind !== 'p2pmem'
}

/**
 * internal_get_user_pages_fast(), gup_fast_fallback(): the fast path, and the slow one where it gives up. Null is an error.
 * Until v5.10 __gup_longterm_locked() took a page of an fsdax mapping, and check_dax_vmas() gave it back.
 * @kernel gup_fast_fallback lockless_pages_from_mm
 */
function internal_get_user_pages_fast(vma: Vma, flags: GupFlags): Page | null {
  const page = lockless_pages_from_mm(vma, flags)
  if (page !== null) return page
  const refused = flags.longterm && vma_is_fsdax(vma)
  if (refused && change.gup_longterm_refuses_fsdax) return null
  if (!flags.longterm) return __get_user_pages_locked(vma, flags)
  if (change.gup_longterm_drops_mmap_lock) return __gup_longterm_locked(vma, flags, refused)
  // __gup_longterm_unlocked()
  down_read(vma.mm.mmap_lock)
  const pinned = __gup_longterm_locked(vma, flags, refused)
  up_read(vma.mm.mmap_lock)
  return pinned
}

/**
 * __gup_longterm_locked(): pins, and pins again when what it got had to be migrated away first.
 * Since "mm/gup: have internal functions get the mmap_read_lock()" (in v6.3) mmap_lock is taken for each pin, and not held for the
 * migration. `refused`: check_dax_vmas() gives back what was taken.
 */
function __gup_longterm_locked(vma: Vma, flags: GupFlags, refused: boolean): Page | null {
  while (true) {
    const page = change.gup_longterm_drops_mmap_lock ? __get_user_pages_locked(vma, flags) : __get_user_pages(vma, flags)
    if (page === null) return null
    if (refused) {
      gup_put_folio(page, flags.pin)
      return null
    }
    if (folio_is_longterm_pinnable(page)) return page
    if (!migrate_longterm_unpinnable_pages(page)) return null
  }
}

/**
 * check_and_migrate_movable_pages(), migrate_longterm_unpinnable_pages() of one coherent page: the pin becomes
 * an ordinary reference, and the page is migrated to ordinary memory. True is -EAGAIN, false -EBUSY.
 * Since Linux commit b05a79d4377f ("mm/gup: migrate device coherent pages when pinning instead of failing") (in v6.0).
 */
function migrate_longterm_unpinnable_pages(page: Page): boolean {
  if (!change.coherent_longterm_migrates) {
    gup_put_folio(page, true)
    return false
  }
  get_page(page, 'migrate')
  gup_put_folio(page, true)
  return migrate_device_coherent_page(page)
}

/** get_user_pages_fast(). `write`: FOLL_WRITE. */
export function get_user_pages_fast(vma: Vma, write = false): Page | null {
  return internal_get_user_pages_fast(vma, { pin: false, write, longterm: false, p2pdma: false })
}

/** pin_user_pages_fast(FOLL_WRITE). */
export function pin_user_pages_fast(vma: Vma): Page | null {
  return internal_get_user_pages_fast(vma, { pin: true, write: true, longterm: false, p2pdma: false })
}

/** pin_user_pages_fast() without FOLL_WRITE: for a device that reads. */
export function pin_user_pages_fast_read(vma: Vma): Page | null {
  return internal_get_user_pages_fast(vma, { pin: true, write: false, longterm: false, p2pdma: false })
}

/** pin_user_pages_fast(FOLL_WRITE | FOLL_PCI_P2PDMA): as a block device does that can reach the memory of other devices. */
export function pin_user_pages_fast_p2pdma(vma: Vma): Page | null {
  return internal_get_user_pages_fast(vma, { pin: true, write: true, longterm: false, p2pdma: true })
}

/** pin_user_pages_fast(FOLL_WRITE | FOLL_LONGTERM). */
export function pin_user_pages_fast_longterm(vma: Vma): Page | null {
  return internal_get_user_pages_fast(vma, { pin: true, write: true, longterm: true, p2pdma: false })
}

/** get_user_pages_unlocked(): the slow path alone, as callers that may sleep use it. `write`: FOLL_WRITE. */
export function get_user_pages_unlocked(vma: Vma, write = false): Page | null {
  return __get_user_pages_locked(vma, { pin: false, write, longterm: false, p2pdma: false })
}

/** get_user_pages_remote(), get_user_page_vma_remote(): of another task's memory; the caller has its mmap_lock. */
export function get_user_pages_remote(vma: Vma, write: boolean): Page | null {
  return __get_user_pages(vma, { pin: false, write, longterm: false, p2pdma: false })
}
