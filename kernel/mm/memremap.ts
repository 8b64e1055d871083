// The life of a pgmap, and what freeing a device page means: mm/memremap.c.
import { atomic, BUG_ON, block_until, type Int, retire, step, VM_WARN_ON, WARN_ON_ONCE } from 'putpage/model'
import { page_free } from '../include/linux/dev_pagemap_ops.ts'
import { comes_to_free_zone_device_page, type DevPagemap, pgmap_array, pgmap_private_or_coherent } from '../include/linux/memremap.ts'
import { put_page } from '../include/linux/mm.ts'
import type { Holder, Page } from '../include/linux/mm_types.ts'
import { page_ref_count, page_ref_sub_return, set_page_count_one } from '../include/linux/page_ref.ts'
import { compound_head, folio_nr_pages, prep_compound_page } from '../include/linux/page-flags.ts'
import { lock_page } from '../include/linux/pagemap.ts'
import {
  percpu_ref_kill,
  percpu_ref_put,
  percpu_ref_put_many,
  percpu_ref_switch_to_atomic_rcu,
  percpu_ref_tryget_live,
  percpu_ref_tryget_live_rcu,
  percpu_ref_tryget_many,
} from '../include/linux/percpu-refcount.ts'
import { rcu_read_lock, rcu_read_unlock, synchronize_rcu } from '../include/linux/rcupdate.ts'
import { wake_up_var } from '../include/linux/wait_bit.ts'
import { change } from '../switches.ts'
import { mem_cgroup_uncharge } from './memcontrol.ts'
import { memmap_init_compound, memmap_init_zone_device } from './page_alloc.ts'

/** memremap_pages(), as far as a scenario's set-up needs it: `nr` pages of the pgmap are initialised and can be found. */
export function memremap_pages(pgmap: DevPagemap, nr: number): void {
  pgmap_array.entry = pgmap
  if (pgmap.vmemmap_shift > 0) memmap_init_compound(pgmap.pages[0]!, pgmap.pages[1]!, pgmap)
  else {
    memmap_init_zone_device(pgmap.pages[0]!, pgmap)
    if (nr > 1) memmap_init_zone_device(pgmap.pages[1]!, pgmap)
  }
  // Since Linux commit 0dc45ca1ce18 ("mm/memremap.c: take a pgmap reference on page allocation") (in v6.1) not for
  // private pages: each holds one while it is allocated.
  if (!(change.page_holds_pgmap_reference && pgmap_private_or_coherent(pgmap))) pgmap.ref.percpu_count += pfn_len(pgmap, nr)
}

/** pfn_len(): how many pages the pgmap counts. A compound page is one. */
function pfn_len(pgmap: DevPagemap, nr: number): number {
  return pgmap.vmemmap_shift > 0 ? 1 : nr
}

/** get_dev_pagemap() without a cached pgmap. Null once the pgmap is dying. */
export function get_dev_pagemap(): DevPagemap | null {
  rcu_read_lock()
  let pgmap = pgmap_array.entry
  if (pgmap !== null) {
    BUG_ON(!pgmap.ref_set, 'pgmap->ref is NULL', 'the pgmap is looked up between the end of its reference and its removal from pgmap_array')
    if (!percpu_ref_tryget_live_rcu(pgmap.ref)) pgmap = null
  }
  rcu_read_unlock()
  return pgmap
}

/** put_dev_pagemap(). */
export function put_dev_pagemap(pgmap: DevPagemap): void {
  percpu_ref_put(pgmap.ref)
}

/**
 * memunmap_pages() of a pgmap with `nr` pages.
 * Since Linux commit 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) it puts the
 * pgmap's references in bulk and looks at no page; before, it put each page's base reference.
 */
export function memunmap_pages(pgmap: DevPagemap, nr: number): void {
  percpu_ref_kill(pgmap.ref)
  if (comes_to_free_zone_device_page(pgmap.type)) {
    if (!(change.page_holds_pgmap_reference && pgmap_private_or_coherent(pgmap))) percpu_ref_put_many(pgmap.ref, pfn_len(pgmap, nr))
  } else {
    put_page(pgmap.pages[0]!, 'base')
    // for_each_device_pfn() goes from compound page to compound page.
    if (pfn_len(pgmap, nr) > 1) put_page(pgmap.pages[1]!, 'base')
  }
  percpu_ref_switch_to_atomic_rcu(pgmap.ref)
  wait_for_completion(pgmap)
  // dev_pagemap_cleanup(): a reference of the pgmap's own is forgotten; pmem has that of its request queue.
  if (!change.pgmap_ref_embedded && pgmap.type !== 'fsdax') pgmap.ref_set = false
  // arch_remove_memory(): struct pages are gone. Only DEAD keeps get_dev_pagemap() away until the array is cleared.
  atomic(() => {
    retire(pgmap.pages[0]!)
    if (nr > 1) retire(pgmap.pages[1]!)
  })
  pgmap_array.entry = null
  synchronize_rcu()
}

function wait_for_completion(pgmap: DevPagemap): void {
  block_until(() => pgmap.ref.released, { what: 'wait_for_completion(&pgmap->done)' })
}

/**
 * put_devmap_managed_page(), put_devmap_managed_page_refs(): the puts of pages that rest at 1.
 * Since Linux commit 27674ef6c73f (in v5.18) only of FS_DAX pages; a count of 0 is not noticed any more.
 * @kernel put_devmap_managed_page __put_devmap_managed_page_refs @reference
 */
export function put_devmap_managed_page_refs(page: Page, refs: number, holder: Holder): void {
  const count = page_ref_sub_return(page, refs, holder)
  if (comes_to_free_zone_device_page(page.type)) {
    if (count === 1) wake_up_var(page)
    return
  }
  if (count === 1) free_devmap_managed_page(page)
  else if (count === 0) percpu_ref_put(page.pgmap!.ref)
}

/**
 * free_devmap_managed_page(), v5.10: nobody holds the page, which is all that keeps this safe. is_device_private_page() reads
 * the page and its pgmap pointer, after the reference was given back.
 */
function free_devmap_managed_page(page: Page): void {
  step()
  if (page.type === 'fsdax') {
    wake_up_var(page)
    return
  }
  mem_cgroup_uncharge(page)
  page.anon = false
  page_free(page.pgmap!, page)
}

/**
 * free_zone_device_page(), free_zone_device_folio(): the count came to 0.
 * v5.15+seed: by type, and no pgmap reference is put. Since Linux commit 0dc45ca1ce18 (in v6.1) a private page puts its
 * own. Since Linux commit 38607c62b34b (in v6.15) fsdax pages wake here and generic ones are reset.
 * @kernel free_zone_device_folio @reference
 */
export function free_zone_device_page(page: Page): void {
  // page->pgmap is read, after the last reference was given back.
  step()
  if (change.free_zone_device_folio_rules) return free_zone_device_folio(page)
  // As posted in November 2021: by type, where that type rests at 0.
  if (page.type === 'fsdax' && change.fsdax_wake_at_zero) {
    wake_up_var(page)
    return
  }
  if (page.type === 'generic' && change.generic_free_at_zero) return
  const pgmap = page.pgmap!
  if (
    WARN_ON_ONCE(
      pgmap.ops === 'none',
      '!page->pgmap->ops || !page->pgmap->ops->page_free',
      'the count of a page that rests at 1 came to 0: one reference too many was given back, and nobody is told that the page is free',
    )
  )
    return
  mem_cgroup_uncharge(page)
  page.anon = false
  page_free(pgmap, page)
  // page->pgmap and its type are read again. A p2pdma page is in the pool by now, and has given its pgmap reference back.
  if (!pgmap_private_or_coherent(pgmap)) {
    if (!change.p2pdma_free_at_zero) set_page_count_one(page, 'base')
    return
  }
  if (!change.private_free_at_zero) set_page_count_one(page, 'base')
  if (change.page_holds_pgmap_reference) percpu_ref_put(pgmap.ref)
}

function free_zone_device_folio(page: Page): void {
  const pgmap = page.pgmap
  // Before the callback: afterwards the folio may be somebody else's, and of another size.
  const nr = folio_nr_pages(page)
  if (WARN_ON_ONCE(pgmap === null, '!pgmap', 'a device page without a pgmap is freed: its structure was overwritten')) return
  mem_cgroup_uncharge(page)
  switch (page.type) {
    case 'private':
    case 'coherent':
      page.anon = false
      page_free(pgmap!, page)
      if (change.page_holds_pgmap_reference) percpu_ref_put_many(pgmap!.ref, nr)
      break
    case 'generic':
      set_page_count_one(page, 'base')
      break
    case 'fsdax':
      wake_up_var(page)
      break
    case 'p2pdma':
      if (WARN_ON_ONCE(pgmap!.ops === 'none', '!pgmap->ops || !pgmap->ops->folio_free', 'nobody is told that the page is free')) break
      page_free(pgmap!, page)
      if (!change.p2pdma_free_at_zero) set_page_count_one(page, 'base')
      break
    case 'ram':
      break
  }
}

/**
 * zone_device_page_init(), zone_device_folio_init() for a single page; v5.10 has get_page() in the driver instead.
 * The caller won the page from its free list.
 */
export function zone_device_page_init(page: Page): void {
  const pgmap = page.pgmap!
  if (change.free_zone_device_folio_rules) {
    // Both are page->mapping.
    page.mapping = null
    page.anon = false
    VM_WARN_ON(page_ref_count(page) !== 0, 'folio_ref_count(folio)', 'a page from the free list is still held: it was freed too early, or twice')
  }
  if (change.page_holds_pgmap_reference) {
    const ok = change.pgmap_tryget_dead ? percpu_ref_tryget_many(pgmap.ref, 1) : percpu_ref_tryget_live(pgmap.ref)
    WARN_ON_ONCE(
      !ok,
      '!percpu_ref_tryget_live(&page->pgmap->ref)',
      'a device page is allocated after its pgmap was killed: memunmap_pages() does not wait for it, and its memory goes under its user',
    )
  }
  set_page_count_one(page, 'alloc')
  lock_page(page)
}

/**
 * zone_device_folio_init() of v7.3, for a driver whose folios differ in size: of one page, or of two, of which `page` is the first.
 * Since Linux commit 12b2285bf3d1 the pages are set up afresh, whatever folios they were part of in their last life.
 */
export function zone_device_folio_init(page: Page, pgmap: DevPagemap, order: Int<0, 1>): void {
  if (change.zone_device_folio_reinit) {
    reinit_page(page, pgmap)
    if (order === 1) reinit_page(page.next_page!, pgmap)
  }
  const ref = compound_head(page).pgmap!.ref
  WARN_ON_ONCE(
    !percpu_ref_tryget_many(ref, order === 1 ? 2 : 1),
    '!percpu_ref_tryget_many(&page_pgmap(page)->ref, 1 << order)',
    'a device page is allocated after its pgmap is gone: memunmap_pages() does not wait for it, and its memory goes under its user',
  )
  set_page_count_one(page, 'alloc')
  lock_page(compound_head(page))
  if (order === 1) prep_compound_page(page)
}

/**
 * One page of zone_device_page_init(): its head bit goes, and what it says of the size of the folio that begins a page before it;
 * the word that leads a tail page to its head is the pgmap again.
 */
function reinit_page(page: Page, pgmap: DevPagemap): void {
  page.order = 0
  const first = pgmap.pages[0]!
  if (first.next_page === page) first.order = 0
  page.mapping = null
  page.anon = false
  atomic(() => {
    page.pgmap = pgmap
    page.compound_head = null
  })
  VM_WARN_ON(page_ref_count(page) !== 0, 'folio_ref_count(new_folio)', 'a page from the free list is still held: it was freed too early, or twice')
}
