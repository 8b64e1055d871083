// The structures of mm/: include/linux/mm_types.h, as far as the life of a device page needs them.
import { array, type Count, type Each, each, type FixedArray, type Ghost, type Guarded, type Int, struct, type Thread, type Word } from 'putpage/model'
import type { AddressSpace } from './fs.ts'
import type { MemCgroup } from './memcontrol.ts'
import type { DevPagemap } from './memremap.ts'
import { RwSemaphore } from './rwsem.ts'
import { Spinlock } from './spinlock.ts'
import type { ZoneDeviceData } from './zone_device_data.ts'

/** Stands for GUP_PIN_COUNTING_BIAS, 1024 in the kernel; reports show 1024. Less than 16 plain references fit beside it. */
export const GUP_PIN_COUNTING_BIAS = 16

/** What a reference is held for: the ledger's columns. */
export type Holder = 'base' | 'alloc' | 'pte' | 'gup' | 'pin' | 'migrate' | 'fault' | 'speculative' | 'insert' | 'lru' | 'cache'

/** `ram` is an ordinary page; the others are the pgmap types MEMORY_DEVICE_PRIVATE, _COHERENT, _FS_DAX, _GENERIC and _PCI_P2PDMA. */
export type PageType = 'ram' | 'private' | 'coherent' | 'fsdax' | 'generic' | 'p2pdma'

/** PG_locked. The bit's owner is kept to say who waits for whom; the sleepers are in page_wait_table. */
export class PageLock {
  owner: Thread | null = null
}

/** What a device-private page of lib/test_hmm.c keeps its data in: an ordinary page reached through zone_device_data. */
export class Backing {
  /** Whose data it holds; 0 is nobody's. */
  data: Int<0, 3> = 0
}

/**
 * struct page, and struct folio where the kernel has one. A single page is its own folio; one large order, of two pages,
 * stands for any: a head and the page behind it. What belongs to the folio (count, mapcount of all its mappings, mapping,
 * lock) is in the head.
 */
export class Page {
  _refcount: Count<-2, 61, 16> = 0
  /** Number of mappings by rmap: the kernel stores one less. */
  _mapcount: Int<-1, 3> = 0
  /** The page behind it, page + 1: set where a scenario has folios of two pages. */
  next_page: Page | null = null
  /** Of a tail page its head. The kernel keeps it in the word that is pgmap otherwise. */
  compound_head: Page | null = null
  /** PG_head and the order. */
  order: Int<0, 1> = 0
  /** Pins of a large folio, which count 1 in _refcount. */
  _pincount: Int<0, 3> = 0
  type: PageType = 'ram'
  pgmap: DevPagemap | null = null
  lock = new PageLock()
  /** page->mapping of a file page. */
  mapping: AddressSpace | null = null
  /** page->mapping is the mark PAGE_MAPPING_DAX_COW, PAGE_MAPPING_DAX_SHARED: several files have the page. */
  dax_shared = false
  /** page->share: how many entries of files have a page that is shared; page->index before it had a name. Below 0 it is a large number in the kernel. */
  share: Int<-2, 4> = 0
  /** page->mapping says anonymous: the page belongs to an anon_vma. */
  anon = false
  /** The driver's word. */
  zone_device_data: ZoneDeviceData = { rpage: null, next: null, pvt: null, svmm: null, svm_bo: null }
  /** Whose data an ordinary page holds; 0 is nobody's. */
  data: Int<0, 3> = 0
  /** An ordinary page that belongs to the buddy allocator. */
  buddy = false
  /** PG_hwpoison. */
  hwpoison = false
  /** PG_lru: an ordinary page is on a list of the LRU. Only where lru_lists.tracked is set. */
  lru = false
  /** PG_swapcache: the swap cache holds the page, and its mapping is that of the swap device (page_mapping(), folio_mapping()). */
  swapcache = false
  /** page->mem_cgroup, folio->memcg_data: who is charged for the page. */
  memcg: MemCgroup | null = null
  /** The ledger: how many references each kind of holder has. Its sum is the count. */
  held: Ghost<Each<Holder, Int<0, 7>>> = each(0)
  /** The ledger: the count is frozen at 0 by a thread that found it to be what it expected; who holds the page still does. */
  frozen: Ghost<boolean> = false
}

/** A page-table entry. Whether it is a devmap entry follows from the page's type and the kernel (pte_devmap). */
export type Pte = Word<{ kind: 'none' | 'present' | 'migration' | 'device_private'; page: Page | null; write: boolean }>

export const PTE_NONE: Pte = { kind: 'none', page: null, write: false }

/**
 * What an entry can be, whatever has happened: device-private pages are in entries of their own kind, and only they; pages that
 * live at fixed addresses are never migrated. @invariant
 */
export function pte_is_possible(pte: Pte): boolean {
  if (pte.page === null) return pte.kind === 'none'
  if (pte.kind === 'none') return false
  return entry_fits(pte.page, pte.kind === 'device_private', pte.kind === 'migration')
}

function entry_fits(page: Page, device_private: boolean, migration: boolean): boolean {
  if (migration) return page.type !== 'fsdax' && page.type !== 'generic' && page.type !== 'p2pdma'
  return device_private === (page.type === 'private')
}

/**
 * An entry of a page middle directory: nothing, a table of page-table entries, or a leaf that maps a folio of two pages
 * (`page` is its first).
 */
export type PmdEntry = Word<{ kind: 'none' | 'table' | 'present' | 'migration' | 'device_private'; page: Page | null; write: boolean }>

export const PMD_NONE: PmdEntry = { kind: 'none', page: null, write: false }

/** The same of an entry of a page middle directory. @invariant */
export function pmd_is_possible(entry: PmdEntry): boolean {
  if (entry.page === null) return entry.kind === 'none' || entry.kind === 'table'
  if (entry.kind === 'none' || entry.kind === 'table') return false
  return entry_fits(entry.page, entry.kind === 'device_private', entry.kind === 'migration')
}

/** A PMD entry with its split lock. The addresses below it are Vmas: two pages of one vm_area_struct. */
export class Pmd {
  lock = new Spinlock()
  entry: Guarded<PmdEntry, 'lock'> = { kind: 'none', page: null, write: false }
  vmas: FixedArray<Vma | null, 2> = array(2, null)
}

/** struct mm_struct. */
export class Mm {
  mmap_lock = new RwSemaphore()
  /** How many use the address space: its process, and who works on it by mmget_not_zero(). Its end is at 0. */
  mm_users: Int<0, 3> = 1
  /** Even: no fork is write-protecting. Counts modulo 4. */
  write_protect_seq: Int<0, 3> = 0
  /** The memory control group of mm->owner. */
  memcg: MemCgroup | null = null
  /** Whose data the process and its children keep in their memory. */
  data: Int<0, 3> = 1
}

/** A mapping of one page: a vm_area_struct with its single page-table entry and that entry's split lock. */
export class Vma {
  mm!: Mm
  ptl = new Spinlock()
  pte: Guarded<Pte, 'ptl'> = { kind: 'none', page: null, write: false }
  /** vm_file's mapping and the page's index in it; null for anonymous memory. */
  file: AddressSpace | null = null
  index: Int<0, 1> = 0
  /** The PMD entry over it, where a scenario has huge ones; null: there is always a page table. */
  pmd: Pmd | null = null
  /** The page table that has the entry is there. If not, it has to be allocated, which can fail. */
  page_table = true
  /** The VMA is in the mapping's i_mmap tree (mapped, not yet unmapped). */
  linked = true
}

/** Every VMA an anonymous page of the scenario may be mapped by: what an rmap walk visits. */
export class AnonVma {
  vmas: FixedArray<Vma | null, 2> = array(2, null)
}
export const anon_vma = struct(AnonVma)
