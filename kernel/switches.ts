// What differs between the kernels of the model. Each switch is a commit that landed, or a part of the patch that was
// posted; the code reads it as change.name, with the kernel's own meaning, and knows nothing of kernels by name.
import { kernels, switches } from 'putpage/model'

export const change = switches({
  // ---- the count at which a page is free, whether mappings count, the count at which waiters are woken ---------------
  private_free_at_zero: {
    commit: 'ef233450898f',
    subject: 'mm: free device private pages have zero refcount',
    since: 'v6.1',
    effect: 'device-private pages rest at count 0; the allocator stores 1 instead of adding one',
  },
  fsdax_free_at_zero: {
    commit: '38607c62b34b',
    subject: 'fs/dax: properly refcount fs dax pages',
    since: 'v6.15',
    effect: 'fsdax pages rest at count 0 (memmap initialisation)',
  },
  fsdax_wake_at_zero: {
    commit: '38607c62b34b',
    subject: 'fs/dax: properly refcount fs dax pages',
    since: 'v6.15',
    effect: 'fsdax waiters wait for count 0, and the put that reaches it wakes them',
  },
  fsdax_mapping_counts: {
    commit: '38607c62b34b',
    subject: 'fs/dax: properly refcount fs dax pages',
    since: 'v6.15',
    effect: 'a page-table entry of an fsdax page holds a reference and counts in _mapcount; busy is count minus mapcount',
  },
  generic_free_at_zero: {
    subject: 'mm: remove extra ZONE_DEVICE struct page refcount (as posted, November 2021)',
    effect: 'generic (device-dax) pages rest at count 0 too',
  },
  generic_mapping_counts: {
    commit: 'aed877c2b425',
    subject: 'device/dax: properly refcount device dax pages when mapping',
    since: 'v6.15',
    effect: 'a page-table entry of a device-dax page holds a reference',
  },
  // ---- what the last put does ---------------------------------------------------------------------------------------
  free_zone_device_page_at_zero: {
    commit: '27674ef6c73f',
    subject: 'mm: remove the extra ZONE_DEVICE struct page refcount',
    since: 'v5.18',
    effect: 'a device page whose count comes to 0 goes to free_zone_device_page(); no page holds its pgmap until memunmap',
  },
  no_devmap_managed_hook: {
    commit: '38607c62b34b',
    subject: 'fs/dax: properly refcount fs dax pages',
    since: 'v6.15',
    effect: 'put_page() and release_pages() no longer treat fsdax pages apart',
  },
  release_pages_devmap_hook: {
    commit: 'c5d6c45e90c4',
    subject: 'mm/swap: fix release_pages() when releasing devmap pages',
    since: 'v5.3',
    effect: 'release_pages() gives managed device pages to the hook of put_page()',
  },
  page_holds_pgmap_reference: {
    commit: '0dc45ca1ce18',
    subject: 'mm/memremap.c: take a pgmap reference on page allocation',
    since: 'v6.1',
    effect: 'an allocated device-private page holds one reference of its pgmap, so that memunmap waits for it',
  },
  pgmap_ref_embedded: {
    commit: 'b80892ca022e',
    subject: 'memremap: remove support for external pgmap refcounts',
    since: 'v5.17',
    effect: "a pgmap's reference is part of it, and not a pointer that is cleared before the pgmap leaves pgmap_array",
  },
  free_zone_device_folio_rules: {
    commit: '38607c62b34b',
    subject: 'fs/dax: properly refcount fs dax pages',
    since: 'v6.15',
    effect: 'the free path decides by type: fsdax wakes, generic is reset to 1, private calls the driver',
  },
  // ---- get_user_pages ------------------------------------------------------------------------------------------------
  gup_put_folio: {
    commit: 'd8ddc099c6b3',
    subject: 'mm/gup: Add gup_put_folio()',
    since: 'v5.18',
    effect: 'GUP gives back references of a folio in one step, with folio_put_refs()',
  },
  gup_put_folio_devmap: {
    commit: 'f4f451a16dd1',
    subject: 'mm: fix missing wake-up event for FSDAX pages',
    since: 'v5.19',
    effect: 'gup_put_folio() and the undo of try_get_folio() go through the fsdax hook first',
  },
  bio_release_folio_put: {
    subject: '__bio_release_pages() goes over folios (stable backport in 6.1.y)',
    effect: 'direct I/O gives its references back with folio_put_refs()',
  },
  bio_pins_pages: {
    subject: 'direct I/O extracts pages with FOLL_PIN',
    since: 'v6.5',
    effect: 'direct I/O pins its buffer and gives it back with unpin_user_folio()',
  },
  gup_no_pgmap: {
    commit: 'fd2825b0760a',
    subject: 'mm/gup: remove pXX_devmap usage from get_user_pages()',
    since: 'v6.17',
    effect: 'GUP takes no pgmap reference before the page reference',
  },
  no_devmap_bit: {
    commit: 'd438d2734170',
    subject: 'mm: remove devmap related functions and page table bits',
    since: 'v6.17',
    effect: 'no entry can be recognised as devmap: device pages are ordinary pages to GUP and zap',
  },
  gup_longterm_refuses_fsdax: {
    subject: 'check_vma_flags() refuses FOLL_LONGTERM on fsdax before any page is taken',
    since: 'v5.11',
    effect: 'a long-term pin of an fsdax mapping takes no page at all',
  },
  gup_fast_refuses_files: {
    commit: 'a6e79df92e4a',
    subject: 'mm/gup: disallow FOLL_LONGTERM GUP-fast writing to file-backed mappings',
    since: 'v6.5',
    effect: 'the fast path gives a page of a file back when a long-term pin would write, and leaves it to the slow path',
  },
  fsdax_not_longterm_pinnable: {
    commit: 'e5cb23256347',
    subject: "mm/gup: don't allow FOLL_LONGTERM pinning of FS DAX pages",
    since: 'v6.15',
    effect: 'the fast path gives an fsdax page back that a long-term pin asked for',
  },
  // ---- layout break --------------------------------------------------------------------------------------------------
  ext4_break_layouts_rescans: {
    commit: 'b1f382178d15',
    subject: 'ext4: close race between direct IO and ext4_break_layouts()',
    since: 'v4.19',
    effect: 'ext4_break_layouts() ends only at a scan that finds no busy page',
  },
  xfs_break_layouts_rescans: {
    subject: 'xfs: Close race between direct IO and xfs_break_layouts()',
    since: 'v4.19',
    effect: 'xfs_break_dax_layouts() asks for another round before it waits, not while it sleeps (fuse was written so)',
  },
  fuse_breaks_whole_file: {
    commit: '7851bf649d42',
    subject: 'fuse: fix dax truncate/punch_hole fault path',
    since: 'v6.15, and in 6.1.y',
    effect: 'fuse passes -1 for the end of the file to the layout break, not 0, which is its first page only',
  },
  unmapped_pages_can_be_busy: {
    commit: 'cee91fa13a8e',
    subject: 'fs/dax: return unmapped busy pages from dax_layout_busy_page_range()',
    since: 'v6.15',
    effect: 'the scan for busy pages no longer ends at once when nothing maps the file',
  },
  break_waits_for_locked_entries: {
    commit: '6be3e21d25ca',
    subject: "fs/dax: don't skip locked entries when scanning entries",
    since: 'v6.15',
    effect: 'the scan waits for a locked entry instead of passing over it',
  },
  locked_entry_walk_resets: {
    commit: 'dd59137bfe70',
    subject: "fs/dax: Fix 'don't skip locked entries when scanning entries'",
    since: 'v6.16',
    effect: 'after that wait the walk looks at the same slot again',
  },
  dax_break_layout: {
    commit: 'd5b3afea22a5',
    subject: 'fs/dax: create a common implementation to break DAX layouts',
    since: 'v6.15',
    effect: 'one loop for all file systems: scan, wait, scan again',
  },
  break_deletes_entries: {
    commit: 'bde708f1a65d',
    subject: 'fs/dax: always remove DAX page-cache entries when breaking layouts',
    since: 'v6.15',
    effect: 'a successful layout break deletes the entries of the range; truncate must find none',
  },
  evict_breaks_layout: {
    commit: '0e2f80afcfa6',
    subject: 'fs/dax: ensure all pages are idle prior to filesystem unmount',
    since: 'v6.15',
    effect: 'the eviction of an inode waits until nobody holds a page of it, without a lock and without regard to signals',
  },
  // ---- device-private pages --------------------------------------------------------------------------------------------
  fault_takes_reference: {
    commit: '16ce101db85d',
    subject: 'mm/memory.c: fix race when faulting a device private page',
    since: 'v6.1',
    effect: 'a CPU fault looks at the entry again under the page-table lock and holds a reference around migrate_to_ram()',
  },
  fault_locks_page: {
    commit: '1afaeb8293c9',
    subject: 'mm/migrate: Trylock device page in do_swap_page',
    since: 'v6.15',
    effect: 'a CPU fault locks the device page under the page-table lock; the loser takes no reference',
  },
  fault_sleeps_on_locked_page: {
    commit: 'b570f37a2ce4',
    subject: 'mm: Fix a hmm_range_fault() livelock / starvation problem',
    since: 'v7.0',
    effect: 'a CPU fault that finds the page locked sleeps until it is unlocked',
  },
  migrate_collect_trylock_once: {
    commit: 'ab09243aa95a',
    subject: 'mm/migrate.c: remove MIGRATE_PFN_LOCKED',
    since: 'v5.16',
    effect: 'migrate_vma_collect gives a page up whose lock is busy, instead of trying again later',
  },
  zap_clears_private_last: {
    commit: '8018db852594',
    subject: 'mm: rework swap handling of zap_pte_range',
    since: 'v5.18',
    effect: 'the last put, and with it the free callback, runs while the entry is still in the page table',
  },
  migration_entry_wait_without_reference: {
    commit: 'ffa65753c431',
    subject: 'mm/migrate.c: rework migration_entry_wait() to not take a pageref',
    since: 'v5.17',
    effect: 'waiting for a migration entry takes no page reference',
  },
  anon_exclusive: {
    subject: 'mm: remember exclusively mapped anonymous pages with PG_anon_exclusive',
    since: 'v5.19',
    effect: 'migration refuses an exclusive page that may be pinned, after it cleared the entry and flushed the TLB',
  },
  driver_evicts_on_remove: {
    commit: '249881232e14',
    subject: 'nouveau/dmem: evict device private memory during release',
    since: 'v6.1',
    effect: 'a driver migrates everything back before it unmaps its memory (test_hmm: ad4c365221b0)',
  },
  pgmap_tryget_dead: {
    subject: 'zone_device_page_init() takes its pgmap reference with tryget, dead or alive',
    effect: 'an allocation after kill fails only when the pgmap count is already 0',
  },
  // ---- memory ------------------------------------------------------------------------------------------------------------
  dirty_rmap_at_flush: {
    commit: '5df397dec7c4',
    subject: 'mm: delay page_remove_rmap() until after the TLB has been flushed',
    since: 'v6.2',
    effect: 'zap of a dirty file page flushes the TLB before it drops the mapping count, all under the page-table lock',
  },
  tlb_flush_ipi: {
    subject: 'the architecture flushes TLBs by interrupt (x86 without paravirtual flush)',
    effect: 'a TLB flush waits for every GUP-fast that runs with interrupts off; without it (arm64) it does not',
  },
})

const since_v5_3 = ['release_pages_devmap_hook', 'ext4_break_layouts_rescans', 'xfs_break_layouts_rescans', 'tlb_flush_ipi'] as const

kernels(change, {
  'v5.10': {
    about: "Debian's 5.10.223: every device page rests at count 1",
    has: [...since_v5_3],
  },
  'v5.15+seed': {
    about: 'a reconstruction: the rules of v5.10 and the two patches of November 2021',
    has: [
      ...since_v5_3,
      'private_free_at_zero',
      'fsdax_free_at_zero',
      'fsdax_wake_at_zero',
      'generic_free_at_zero',
      'free_zone_device_page_at_zero',
      'no_devmap_managed_hook',
    ],
  },
  'v6.1': {
    about: "Debian's 6.1.192: device-private pages rest at 0, fsdax and generic ones at 1",
    has: [
      ...since_v5_3,
      'private_free_at_zero',
      'free_zone_device_page_at_zero',
      'page_holds_pgmap_reference',
      'pgmap_ref_embedded',
      'gup_put_folio',
      'gup_put_folio_devmap',
      'bio_release_folio_put',
      'gup_longterm_refuses_fsdax',
      'fuse_breaks_whole_file',
      'fault_takes_reference',
      'migrate_collect_trylock_once',
      'zap_clears_private_last',
      'migration_entry_wait_without_reference',
      'anon_exclusive',
      'driver_evicts_on_remove',
    ],
  },
  'v7.3': {
    about: "Debian's 7.3.4: fsdax pages rest at 0 too and their mappings count; generic ones still rest at 1",
    has: [
      ...since_v5_3,
      'private_free_at_zero',
      'fsdax_free_at_zero',
      'fsdax_wake_at_zero',
      'fsdax_mapping_counts',
      'generic_mapping_counts',
      'free_zone_device_page_at_zero',
      'no_devmap_managed_hook',
      'page_holds_pgmap_reference',
      'pgmap_ref_embedded',
      'free_zone_device_folio_rules',
      'gup_put_folio',
      'gup_put_folio_devmap',
      'bio_pins_pages',
      'gup_no_pgmap',
      'no_devmap_bit',
      'gup_longterm_refuses_fsdax',
      'gup_fast_refuses_files',
      'fsdax_not_longterm_pinnable',
      'fuse_breaks_whole_file',
      'unmapped_pages_can_be_busy',
      'break_waits_for_locked_entries',
      'locked_entry_walk_resets',
      'dax_break_layout',
      'break_deletes_entries',
      'evict_breaks_layout',
      'fault_takes_reference',
      'fault_locks_page',
      'fault_sleeps_on_locked_page',
      'migrate_collect_trylock_once',
      'zap_clears_private_last',
      'migration_entry_wait_without_reference',
      'anon_exclusive',
      'driver_evicts_on_remove',
      'pgmap_tryget_dead',
      'dirty_rmap_at_flush',
    ],
  },
})
