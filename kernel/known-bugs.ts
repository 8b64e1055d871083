// Bugs that were found in real kernels, and questions still open: which check of the model is each, which fix repairs it, and
// where it cannot be. What a kernel has is not said here: `putpage bugs` finds it out.
import { known_bugs } from 'putpage/model'
import { change } from './switches.ts'

const GUP_REFUSES = 'the patch leaves mapped fsdax and device-dax pages at 0 and GUP refuses them: nobody gets the reference the bug is about'
/** XFS has reflink and DAX together since v6.0. */
const NO_REFLINK = {
  'v5.10': 'no file system has reflink and DAX together',
  'v5.15+seed': 'no file system has reflink and DAX together',
  'v5.18': 'no file system has reflink and DAX together',
}
/** A page that leaves its file is still held: dax_disassociate_entry(), in v7.3 dax_folio_put(). */
const LEFT_BUSY = ['warn:dax_disassociate_entry:trunc', 'warn:dax_folio_put:']

known_bugs(change, {
  'generic-413': {
    about: 'GUP meets a mapped page whose count is 0: the warning of xfstests generic/413',
    checks: ['warn:try_get_page:'],
    fixes: [{ without: 'fsdax_mapping_counts', why: 'the count at which a page is free and whether its mappings count have to change together' }],
  },
  'lost-wake-folio-put': {
    about: 'a reference of an fsdax page is given back by folio_put_refs(), which wakes nobody',
    checks: ['lost-wake'],
    fixes: [{ without: 'gup_put_folio_devmap' }],
    not_applicable: { 'v5.15+seed': GUP_REFUSES },
  },
  'fault-without-reference': {
    about: 'a CPU fault uses a device-private page that it holds no reference of',
    checks: ['use-after-free:Backing in dmirror_devmem_fault', "always:dmirror_devmem_fault:a CPU fault uses another process's mirror"],
    in: { 'uvmem-fault-and-page-out': ['bug:page_pvt:', 'use-after-free:UvmemPagePvt in '] },
    fixes: [{ without: 'fault_takes_reference' }],
  },
  'break-layouts-ends-early': {
    about: 'the layout break ends with a page of the file still pinned',
    checks: ['always:the device writes into blocks of the file only'],
    fixes: [{ without: 'ext4_break_layouts_rescans' }, { without: 'xfs_break_layouts_rescans' }],
    not_applicable: { 'v5.15+seed': GUP_REFUSES },
  },
  'unmapped-busy-page': {
    about: 'truncate takes no notice of a page that is pinned but no longer mapped',
    checks: [...LEFT_BUSY, 'always:the device does not write into another file'],
    fixes: [{ without: 'unmapped_pages_can_be_busy' }],
    not_applicable: { 'v5.15+seed': GUP_REFUSES },
  },
  'locked-entry-skipped-again': {
    about: 'the walk that waited for a locked entry goes on behind it',
    checks: ['warn:truncate_exceptional_entry:a DAX entry is left after the layout break'],
    fixes: [{ without: 'locked_entry_walk_resets' }],
  },
  'locked-entry-passed-over': {
    about: 'the scan for busy pages passes over an entry that is locked',
    checks: LEFT_BUSY,
    fixes: [{ without: 'break_waits_for_locked_entries' }],
  },
  'two-faults-livelock': {
    about: 'two CPU faults on one device-private page keep each other from migrating it',
    checks: ['livelock'],
    fixes: [{ without: 'fault_locks_page' }],
    not_applicable: {
      'v5.10': 'a CPU fault takes no reference',
      'v5.15+seed': 'a CPU fault takes no reference: the patch does not touch do_swap_page()',
      'v5.18': 'a CPU fault takes no reference',
    },
  },
  'unload-frees-mapped-page': {
    about: 'a driver that is unloaded frees a device page that a process maps, or has its memory taken away',
    // v5.10 puts every page, mapped or not; the patch as posted, and v5.18, put none and wait for none.
    checks: ['always:page_free:a device page is freed while an entry maps it', 'use-after-free:Page in '],
    fixes: [
      {
        without: 'driver_evicts_on_remove',
        checks: ['sleeps'],
        why: 'the teardown puts no page any more: without the eviction it waits, for as long as the process has the page',
      },
    ],
  },
  'memunmap-does-not-wait': {
    about: 'memunmap_pages() takes the memory of a page that is allocated and mapped',
    checks: ['use-after-free:Page in page_remove_rmap'],
    fixes: [{ without: 'page_holds_pgmap_reference' }],
    not_applicable: { 'v5.10': 'the teardown puts the mapped page, which is another bug: unload-frees-mapped-page' },
  },
  // Read from v6.1's sources and the log of the commit; no report of it is known to this project.
  'private-reset-race': {
    about: 'the count of a freed device-private page is set back to 1 when it has a new owner already',
    checks: ['always:page_free:a device page is freed while an entry maps it', 'bug:get_page_checked:'],
    fixes: [{ without: 'private_free_at_zero' }],
  },
  'release-pages-bypass': {
    about: 'release_pages() gives an fsdax page back without the hook that wakes',
    checks: ['lost-wake'],
    fixes: [{ without: 'release_pages_devmap_hook' }],
    not_applicable: { 'v5.15+seed': GUP_REFUSES, 'v7.3': 'there is no hook: the wake is in the free path, at 0' },
  },
  'stale-swap-mapping': {
    about: 'a page that has left the swap cache migrates as if it were there: its count is frozen at 0 for good',
    checks: ['bug:page_ref_unfreeze:count == 0'],
    fixes: [{ without: 'migrate_rereads_mapping' }],
  },
  'p2pdma-reset-race': {
    about: 'mmap() of p2pdma memory: a failed one keeps the pgmap; a page that was just freed is mapped, and its count overwritten',
    checks: ['sleeps'],
    in: { 'p2pdma-munmap-against-mmap': ['always:page_free:a device page is freed while an entry maps it', 'bug:bitmap_clear_ll:'] },
    fixes: [
      { without: 'p2pdma_insert_failure_puts_pgmap' },
      {
        without: 'vm_insert_page_refuses_zero',
        why: 'a page that went back to the pool and is still at 0 gets its entry, and the end of its mmap() frees it a second time',
      },
    ],
    not_applicable: {
      'v5.10': 'no process can map p2pdma memory',
      'v5.15+seed': 'no process can map p2pdma memory',
      'v5.18': 'no process can map p2pdma memory',
      'v6.1': 'no process can map p2pdma memory',
    },
  },
  'truncate-sleeps-on-refault': {
    about: 'truncate sleeps until an unrelated mapping of the page goes away',
    checks: ['sleeps'],
    fixes: [],
    not_applicable: { 'v5.15+seed': GUP_REFUSES },
  },
  'reflink-share-count': {
    about: 'the count of the files that share a page is off by one, and reads are not counted: the next file finds the page taken',
    checks: ['warn:dax_associate_entry:page->mapping'],
    fixes: [
      { without: 'dax_share_count' },
      { without: 'dax_shared_flag_for_reads', why: 'the second cause: two files read the page through mappings, and none of it is counted' },
    ],
    not_applicable: NO_REFLINK,
  },
  'reflink-share-lost': {
    about: 'two files fault or give up a page they share at once, each under its own lock, and the count of its files is lost',
    checks: ['finally:the page belongs to no file'],
    fixes: [],
    not_applicable: NO_REFLINK,
  },
  'shared-page-looks-anonymous': {
    about: 'a page that DAX files share is taken for anonymous memory: a pin for reading never ends, a futex is another one in each process',
    checks: ['always:waiter:the key of a futex in a file'],
    in: { 'read-pin-of-reflinked-page': ['livelock'] },
    fixes: [{ without: 'dax_shared_without_marker' }],
    not_applicable: NO_REFLINK,
  },
  'cow-write-leaves-old-page': {
    about: 'write(2) to a shared extent of a mapped file: the old page is mapped when the file has its copy, and when its block is free',
    checks: ['always:no block is mapped that belongs to nobody', 'finally:who maps the file sees what was written'],
    fixes: [],
    not_applicable: NO_REFLINK,
  },
  'shared-page-held-through-other-file': {
    about: 'a file is truncated that shares a page, which is held through the other file that has it: a warning, and nothing is wrong',
    checks: ['warn:dax_disassociate_entry:trunc'],
    fixes: [],
    not_applicable: NO_REFLINK,
  },
  'folio-put-warns-of-used-page': {
    about: 'a page of a shared extent is taken out of its file and put back, or replaced, while it is mapped or held: a warning',
    checks: ['warn:dax_folio_put:'],
    fixes: [],
    not_applicable: NO_REFLINK,
  },
  'uvmem-publish-before-detach': {
    about: 'a freed page of a secure guest can be allocated before its private data are detached: the next owner loses its own',
    checks: ['bug:page_pvt:', 'always:a mapped device page has data of a guest'],
    fixes: [],
  },
  'unbind-ignores-pins': {
    about: 'unbind takes the memory of a page that is pinned',
    checks: ['use-after-free:Page in '],
    fixes: [],
    not_applicable: { 'v5.15+seed': GUP_REFUSES },
  },
})
