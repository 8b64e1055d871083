// arch/powerpc/kvm/book3s_hv_uvmem.c: secure guests of POWER. The pages of a secure guest are in memory that only the
// ultravisor sees; a device-private page in the page table of the process that runs the guest (QEMU) stands for each. A guest has
// one page here, and so one guest frame number (GFN).
import { array, atomic, BUG_ON, type FixedArray, type Guarded, type Int, may_fail, retire, revive, struct, type Word } from 'putpage/model'
import { type DevPagemap, is_zone_device_page } from '../../../include/linux/memremap.ts'
import { get_page, put_page } from '../../../include/linux/mm.ts'
import type { Page, Vma } from '../../../include/linux/mm_types.ts'
import { Mutex, mutex_lock, mutex_unlock } from '../../../include/linux/mutex.ts'
import { hand_over, set_page_count_one } from '../../../include/linux/page_ref.ts'
import { lock_page, unlock_page } from '../../../include/linux/pagemap.ts'
import { down_read, up_read } from '../../../include/linux/rwsem.ts'
import { Spinlock, spin_lock, spin_unlock } from '../../../include/linux/spinlock.ts'
import { NO_DATA, pvt_data } from '../../../include/linux/zone_device_data.ts'
import { get_user_pages_unlocked, put_user_page } from '../../../mm/gup.ts'
import type { FaultResult } from '../../../mm/memory.ts'
import { memremap_pages, memunmap_pages, zone_device_page_init } from '../../../mm/memremap.ts'
import { migrate_vma_finalize, migrate_vma_pages, migrate_vma_setup } from '../../../mm/migrate_device.ts'
import { __free_page, alloc_page } from '../../../mm/page_alloc.ts'
import { change } from '../../../switches.ts'

/** An entry of the slot's pfns: KVMPPC_GFN_UVMEM_PFN with the device page, _MEM_PFN, _SHARED; `none` is not a secure GFN. */
export type GfnState = Word<{ flag: 'none' | 'uvmem' | 'mem' | 'shared'; page: Page | null }>

/** struct kvm: a guest of one page. */
export class Kvm {
  uvmem_lock = new Mutex()
  /** uvmem_pfns. Said to be under uvmem_lock, but kvmppc_uvmem_page_free() is called without it too. */
  pfn: GfnState = { flag: 'none', page: null }
  /** What the ultravisor keeps for this guest: whose data. */
  secure_data: Int<0, 3> = 0
}

/** struct kvmppc_uvmem_page_pvt. The guest has one GFN, so gpa is left out. */
export class UvmemPagePvt {
  kvm: Kvm | null = null
  skip_page_out = false
  remove_gfn = false
}

/** kvmppc_uvmem_pgmap with its bitmap: one for all guests. */
class Uvmem {
  pgmap: DevPagemap | null = null
  bitmap_lock = new Spinlock()
  bitmap: Guarded<FixedArray<boolean, 2>, 'bitmap_lock'> = array(2, false)
  /** How many pages there are. */
  nr: Int<1, 2> = 1
}
export const kvmppc_uvmem = struct(Uvmem)

/** Where kzalloc() takes the structures from. */
class PvtSlab {
  pvts: FixedArray<UvmemPagePvt | null, 2> = array(2, null)
  taken: FixedArray<boolean, 2> = array(2, false)
}
export const pvt_slab = struct(PvtSlab)

/** The firmware. A scenario says whether its calls may fail. */
class Ultravisor {
  page_in_fails = false
  page_out_fails = false
}
export const ultravisor = struct(Ultravisor)

/** kvmppc_uvmem_init(). */
export function kvmppc_uvmem_init(pgmap: DevPagemap, nr: number, first: UvmemPagePvt, second: UvmemPagePvt | null): void {
  pgmap.ops = 'uvmem'
  memremap_pages(pgmap, nr)
  kvmppc_uvmem.pgmap = pgmap
  kvmppc_uvmem.nr = nr
  pvt_slab.pvts[0] = first
  retire(first)
  if (second !== null) {
    pvt_slab.pvts[1] = second
    retire(second)
  }
}

/** kvmppc_uvmem_free(): the module goes, and no guest is left. It evicts nothing in any kernel. */
export function kvmppc_uvmem_free(): void {
  memunmap_pages(kvmppc_uvmem.pgmap!, kvmppc_uvmem.nr)
  // kfree(kvmppc_uvmem_bitmap)
  retire(kvmppc_uvmem)
}

/** kzalloc() of a kvmppc_uvmem_page_pvt; null is a failed allocation. */
function kzalloc_pvt(): UvmemPagePvt | null {
  return atomic(() => {
    let got: UvmemPagePvt | null = null
    for (let i = 0; i < 2; i++) {
      const pvt = pvt_slab.pvts[i]
      if (got === null && pvt !== null && !pvt_slab.taken[i]) {
        pvt_slab.taken[i] = true
        revive(pvt)
        pvt.kvm = null
        pvt.skip_page_out = false
        pvt.remove_gfn = false
        got = pvt
      }
    }
    return got
  })
}

/** kfree() of a kvmppc_uvmem_page_pvt. */
function kfree_pvt(pvt: UvmemPagePvt): void {
  atomic(() => {
    for (let i = 0; i < 2; i++) if (pvt_slab.pvts[i] === pvt) pvt_slab.taken[i] = false
    retire(pvt)
  })
}

/** find_first_zero_bit(). The bit is set with it: nobody looks between, as the lock is held. */
function find_free_bit(): Page | null {
  const pgmap = kvmppc_uvmem.pgmap!
  for (let i = 0; i < 2; i++) {
    if (i < kvmppc_uvmem.nr && !kvmppc_uvmem.bitmap[i]) {
      kvmppc_uvmem.bitmap[i] = true
      return pgmap.pages[i]
    }
  }
  return null
}

function bitmap_clear(page: Page): void {
  const pgmap = kvmppc_uvmem.pgmap!
  if (page === pgmap.pages[0]) kvmppc_uvmem.bitmap[0] = false
  else kvmppc_uvmem.bitmap[1] = false
}

/** zone_device_data of a page in use. Nobody tests it: without it the kernel reads through a null pointer. */
function page_pvt(page: Page): UvmemPagePvt {
  const pvt = page.zone_device_data.pvt
  BUG_ON(
    pvt === null,
    'kernel NULL pointer dereference',
    'page->zone_device_data of a secure page is null: its free callback ran, or another one of the page did',
  )
  return pvt!
}

/** kvmppc_gfn_is_uvmem_pfn(). */
function kvmppc_gfn_is_uvmem_pfn(kvm: Kvm): boolean {
  return kvm.pfn.flag === 'uvmem'
}

/**
 * kvmppc_uvmem_get_page(): takes a page whose bit is clear. Under uvmem_lock of the guest; the bitmap is shared by all guests.
 * The page's count: v5.10 adds one to the 1 it rests at; the patch of November 2021 stores 1; since Linux commit 27674ef6c73f
 * ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) the 1 it rests at is the owner's; since 0dc45ca1ce18
 * ("mm/memremap.c: take a pgmap reference on page allocation") (in v6.1) zone_device_page_init() does it. zone_device_data comes
 * before it in all.
 */
function kvmppc_uvmem_get_page(kvm: Kvm): Page | null {
  spin_lock(kvmppc_uvmem.bitmap_lock)
  const dpage = find_free_bit()
  spin_unlock(kvmppc_uvmem.bitmap_lock)
  if (dpage === null) return null
  const pvt = kzalloc_pvt()
  if (pvt === null) {
    spin_lock(kvmppc_uvmem.bitmap_lock)
    bitmap_clear(dpage)
    spin_unlock(kvmppc_uvmem.bitmap_lock)
    return null
  }
  kvm.pfn = { flag: 'uvmem', page: dpage }
  pvt.kvm = kvm
  dpage.zone_device_data = pvt_data(pvt)
  if (change.page_holds_pgmap_reference) {
    zone_device_page_init(dpage)
    return dpage
  }
  if (change.private_free_at_zero) set_page_count_one(dpage, 'alloc')
  else if (change.free_zone_device_page_at_zero) atomic(() => hand_over(dpage, 'base', 'alloc'))
  else get_page(dpage, 'alloc')
  lock_page(dpage)
  return dpage
}

/**
 * kvmppc_uvmem_page_free(), pgmap->ops->page_free(). The bit is cleared first: from then on the page can be allocated, and what is
 * read from it below may be its next owner's. Its comment says that uvmem_lock is held; a zap does not hold it, and since Linux commit
 * 16ce101db85d ("mm/memory.c: fix race when faulting a device private page") (in v6.1) neither does the last put of a fault.
 */
export function kvmppc_uvmem_page_free(page: Page): void {
  if (!change.uvmem_detaches_before_free) {
    spin_lock(kvmppc_uvmem.bitmap_lock)
    bitmap_clear(page)
    spin_unlock(kvmppc_uvmem.bitmap_lock)
  }
  const pvt = page_pvt(page)
  page.zone_device_data = NO_DATA
  if (change.uvmem_detaches_before_free) {
    spin_lock(kvmppc_uvmem.bitmap_lock)
    bitmap_clear(page)
    spin_unlock(kvmppc_uvmem.bitmap_lock)
  }
  const kvm = pvt.kvm!
  if (pvt.remove_gfn) kvm.pfn = { flag: 'none', page: null }
  else kvm.pfn = { flag: 'mem', page: null }
  kfree_pvt(pvt)
}

/** uv_page_in(): the ultravisor takes the content of an ordinary page. */
function uv_page_in(kvm: Kvm, spage: Page): boolean {
  if (ultravisor.page_in_fails && may_fail()) return false
  kvm.secure_data = spage.data
  return true
}

/** uv_page_out(): the ultravisor writes the (encrypted) content into an ordinary page. */
function uv_page_out(kvm: Kvm, dpage: Page): boolean {
  if (ultravisor.page_out_fails && may_fail()) return false
  dpage.data = kvm.secure_data
  return true
}

/**
 * kvmppc_svm_page_in(): the guest's page goes to secure memory; with `pagein` its content too. Under mmap_lock and uvmem_lock. True
 * if it worked, which does not say that the page was migrated.
 */
function kvmppc_svm_page_in(vma: Vma, kvm: Kvm, pagein: boolean): boolean {
  const src = migrate_vma_setup(vma, 'system', null)
  if (!src.migrate) {
    migrate_vma_finalize(src, null, false, null)
    return false
  }
  const dpage = kvmppc_uvmem_get_page(kvm)
  if (dpage === null) {
    migrate_vma_finalize(src, null, false, null)
    return false
  }
  if (pagein && src.page !== null && !uv_page_in(kvm, src.page)) {
    // A stable fix, in v6.1 to v7.3. Before, the page stays locked at the count its allocation gave it.
    if (change.uvmem_failed_page_in_puts) {
      unlock_page(dpage)
      put_page(dpage, 'alloc')
    }
    migrate_vma_finalize(src, null, false, null)
    return false
  }
  const migrated = migrate_vma_pages(vma, src, dpage, null)
  migrate_vma_finalize(src, dpage, migrated, null)
  return true
}

/**
 * __kvmppc_svm_page_out(): the guest's page comes back. Under mmap_lock and uvmem_lock. If the GFN has no secure page there is
 * nothing to do.
 */
function __kvmppc_svm_page_out(vma: Vma, kvm: Kvm, fault_page: Page | null): boolean {
  if (!kvmppc_gfn_is_uvmem_pfn(kvm)) return true
  const src = migrate_vma_setup(vma, 'device_private', fault_page)
  const spage = src.page
  if (spage === null || !is_zone_device_page(spage)) {
    migrate_vma_finalize(src, null, false, fault_page)
    return true
  }
  const dpage = alloc_page()
  lock_page(dpage)
  const pvt = page_pvt(spage)
  if (!pvt.skip_page_out && !uv_page_out(kvm, dpage)) {
    unlock_page(dpage)
    __free_page(dpage, 'alloc')
    migrate_vma_finalize(src, null, false, fault_page)
    return false
  }
  const migrated = migrate_vma_pages(vma, src, dpage, fault_page)
  migrate_vma_finalize(src, dpage, migrated, fault_page)
  return true
}

/** kvmppc_svm_page_out(). */
function kvmppc_svm_page_out(vma: Vma, kvm: Kvm, fault_page: Page | null): boolean {
  mutex_lock(kvm.uvmem_lock)
  const done = __kvmppc_svm_page_out(vma, kvm, fault_page)
  mutex_unlock(kvm.uvmem_lock)
  return done
}

/**
 * kvmppc_uvmem_migrate_to_ram(), pgmap->ops->migrate_to_ram(): the hypervisor's CPU touches a page of the secure guest.
 * Since Linux commit 16ce101db85d (in v6.1) the caller's reference is known to the migration as that of `fault_page`.
 * @role
 */
export function kvmppc_uvmem_migrate_to_ram(vma: Vma, page: Page): FaultResult {
  const pvt = page_pvt(page)
  const fault_page = change.fault_takes_reference ? page : null
  return kvmppc_svm_page_out(vma, pvt.kvm!, fault_page) ? 'done' : 'sigbus'
}

/** kvmppc_h_svm_page_in() without H_PAGE_IN_SHARED: true is H_SUCCESS. find_vma_intersection() comes under uvmem_lock here, before it in the two below. */
export function kvmppc_h_svm_page_in(vma: Vma, kvm: Kvm): boolean {
  down_read(vma.mm.mmap_lock)
  mutex_lock(kvm.uvmem_lock)
  let done = false
  if (!kvmppc_gfn_is_uvmem_pfn(kvm) && vma.linked) done = kvmppc_svm_page_in(vma, kvm, true)
  mutex_unlock(kvm.uvmem_lock)
  up_read(vma.mm.mmap_lock)
  return done
}

/** kvmppc_h_svm_page_out(): true is H_SUCCESS. */
export function kvmppc_h_svm_page_out(vma: Vma, kvm: Kvm): boolean {
  down_read(vma.mm.mmap_lock)
  const done = vma.linked && kvmppc_svm_page_out(vma, kvm, null)
  up_read(vma.mm.mmap_lock)
  return done
}

/**
 * kvmppc_share_page(), H_SVM_PAGE_IN with H_PAGE_IN_SHARED: guest and hypervisor shall both see the page. Touching it by
 * gfn_to_page() brings it back from secure memory; its old content there is not wanted.
 */
export function kvmppc_share_page(vma: Vma, kvm: Kvm): boolean {
  mutex_lock(kvm.uvmem_lock)
  mark_for_sharing(kvm)
  mutex_unlock(kvm.uvmem_lock)
  while (true) {
    const page = get_user_pages_unlocked(vma)
    if (page === null) return false
    mutex_lock(kvm.uvmem_lock)
    const again = mark_for_sharing(kvm)
    let done = false
    if (!again && uv_page_in(kvm, page)) {
      kvm.pfn = { flag: 'shared', page: null }
      done = true
    }
    put_user_page(page)
    mutex_unlock(kvm.uvmem_lock)
    if (!again) return done
  }
}

/** The head and the retry of kvmppc_share_page(): a secure page of this GFN need not be paged out. False if there is none. */
function mark_for_sharing(kvm: Kvm): boolean {
  const pfn = kvm.pfn
  if (pfn.flag !== 'uvmem') return false
  const pvt = page_pvt(pfn.page!)
  pvt.skip_page_out = true
  pvt.remove_gfn = false
  return true
}

/** kvmppc_uvmem_drop_pages(): the guest stops being secure (KVM_PPC_SVM_OFF), or never became so. */
export function kvmppc_uvmem_drop_pages(vma: Vma, kvm: Kvm, skip_page_out: boolean): void {
  down_read(vma.mm.mmap_lock)
  if (vma.linked) kvmppc_uvmem_drop_page(vma, kvm, skip_page_out)
  up_read(vma.mm.mmap_lock)
}

/** One turn of its loop. */
function kvmppc_uvmem_drop_page(vma: Vma, kvm: Kvm, skip_page_out: boolean): void {
  mutex_lock(kvm.uvmem_lock)
  const pfn = kvm.pfn
  if (pfn.flag === 'uvmem') {
    const pvt = page_pvt(pfn.page!)
    pvt.skip_page_out = skip_page_out
    pvt.remove_gfn = true
    __kvmppc_svm_page_out(vma, kvm, null)
  } else kvm.pfn = { flag: 'none', page: null }
  mutex_unlock(kvm.uvmem_lock)
}

/** For properties: the bit of a page, which is free if it is clear. */
export function uvmem_page_is_free(page: Page): boolean {
  const pgmap = kvmppc_uvmem.pgmap!
  return page === pgmap.pages[0] ? !kvmppc_uvmem.bitmap[0] : !kvmppc_uvmem.bitmap[1]
}
