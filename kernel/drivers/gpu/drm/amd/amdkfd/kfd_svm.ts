// drivers/gpu/drm/amd/amdkfd/kfd_svm.c: shared virtual memory of AMD's compute driver. One process with one range of one page, and a
// GPU with memory for one page. An svm_bo is a piece of that memory; the range and each device page in it hold a reference of it.
import { array, atomic, BUG_ON, block_until, type FixedArray, type Guarded, type Int, retire, revive, struct, WARN_ON_ONCE } from 'putpage/model'
import type { DevPagemap } from '../../../../../include/linux/memremap.ts'
import type { Mm, Vma } from '../../../../../include/linux/mm_types.ts'
import { Mutex, mutex_lock, mutex_trylock, mutex_unlock } from '../../../../../include/linux/mutex.ts'
import { down_read, down_read_trylock, down_write, downgrade_write, up_read } from '../../../../../include/linux/rwsem.ts'
import { Spinlock, spin_lock, spin_unlock } from '../../../../../include/linux/spinlock.ts'
import { exit_mmap } from '../../../../../kernel/exit.ts'
import { mmget_not_zero, mmput, mmput_testzero } from '../../../../../kernel/fork.ts'
import { memremap_pages } from '../../../../../mm/memremap.ts'
import { change } from '../../../../../switches.ts'
import { svm_migrate_to_vram, svm_migrate_vram_to_ram } from './kfd_migrate.ts'

/** struct svm_range_bo. */
export class SvmRangeBo {
  kref: Int<0, 5> = 0
  list_lock = new Spinlock()
  /** range_list: the one range, while it is linked to this. */
  range_list: Guarded<SvmRange | null, 'list_lock'> = null
  evicting = false
  /** eviction_fence->mm; svm_bo->mm since v7.x. Null is memory that is not a svm_bo's. */
  mm: Mm | null = null
}

/** The eviction fence of a svm_bo, until the rework of v7.x: memory of its own, which outlives the svm_bo. */
class EvictionFence {
  lock = new Spinlock()
  signaled = false
}

/** struct svm_range. */
export class SvmRange {
  migrate_mutex = new Mutex()
  lock = new Mutex()
  svm_bo: SvmRangeBo | null = null
  /** ttm_res is not null: the range holds a reference of svm_bo. */
  ttm_res = false
  /** actual_loc is a GPU. */
  actual_loc = false
  vram_pages: Int<-1, 2> = 0
  /** svm_bo_list is linked. */
  on_list = false
}

/** The driver, its GPU with one page of memory, and its one process. */
class Kfd {
  pgmap: DevPagemap | null = null
  vma: Vma | null = null
  svms_lock = new Mutex()
  /** Where kzalloc() takes svm_bos from. */
  bos: FixedArray<SvmRangeBo | null, 2> = array(2, null)
  taken: FixedArray<boolean, 2> = array(2, false)
  /** Which svm_bo's amdgpu_bo has the memory of the GPU; null is nobody of this driver. */
  vram: SvmRangeBo | null = null
  /** The svm_bo of which both driver and TTM, for an eviction, hold a reference of the amdgpu_bo. */
  held_by_both: SvmRangeBo | null = null
  /** svm_bos whose release_work is queued. */
  release_work: FixedArray<boolean, 2> = array(2, false)
  /** mmu_notifier_release(): the process is at its end, and kfd_process_wq_release() queued. */
  exiting = false
  /** It is done. */
  exited = false
  /** exit_mmap() is between mmu_notifier_invalidate_range_start() and _end(). */
  invalidating = false
  /** Copies by the GPU, and the DMA mappings for them, may fail. Set by a scenario. */
  copies_fail = false
}
export const kfd = struct(Kfd)
/** The range of the process. */
export const svm_range = struct(SvmRange)
const fence0 = struct(EvictionFence)
const fence1 = struct(EvictionFence)

/** svm_migrate_init(), and a process that has one range, in system memory: set-up. */
export function svm_migrate_init(pgmap: DevPagemap, vma: Vma, first: SvmRangeBo, second: SvmRangeBo | null): void {
  pgmap.ops = 'amdkfd'
  memremap_pages(pgmap, 1)
  kfd.pgmap = pgmap
  kfd.vma = vma
  kfd.bos[0] = first
  retire(first)
  if (second !== null) {
    kfd.bos[1] = second
    retire(second)
  }
}

// ---- references of a svm_bo ----------------------------------------------------------------------------------------------

/** svm_range_bo_ref(). @primitive */
export function svm_range_bo_ref(svm_bo: SvmRangeBo): void {
  atomic(() => {
    svm_bo.kref += 1
  })
}

/** svm_bo_ref_unless_zero(). @primitive */
function svm_bo_ref_unless_zero(svm_bo: SvmRangeBo): boolean {
  return atomic(() => {
    const got = svm_bo.kref > 0
    if (got) svm_bo.kref += 1
    return got
  })
}

/** kref_put(): true when the last reference was given back. @primitive */
function kref_put(svm_bo: SvmRangeBo): boolean {
  return atomic(() => {
    svm_bo.kref -= 1
    return svm_bo.kref === 0
  })
}

/** svm_range_bo_unref(): the last one releases it at once. */
function svm_range_bo_unref(svm_bo: SvmRangeBo): void {
  if (kref_put(svm_bo)) svm_range_bo_release(svm_bo)
}

/** svm_range_bo_unref_async(): for the free callback of a page, which may run under a page-table lock: the last one queues work. */
export function svm_range_bo_unref_async(svm_bo: SvmRangeBo): void {
  if (kref_put(svm_bo)) {
    atomic(() => {
      for (let i = 0; i < 2; i++) if (kfd.bos[i] === svm_bo) kfd.release_work[i] = true
    })
  }
}

/** The system's workqueue, as a thread of its own: svm_range_bo_wq_release() of what is queued, until nothing more can come. */
export function kfd_release_worker(ended: () => boolean): void {
  while (true) {
    block_until(() => kfd.release_work[0] || kfd.release_work[1] || ended(), { what: 'svm_range_bo_wq_release() waits for work' })
    if (take_release_work(0)) svm_range_bo_release(kfd.bos[0]!)
    else if (take_release_work(1)) svm_range_bo_release(kfd.bos[1]!)
    else return
  }
}

/** Work of the driver's own workqueue: kfd_process_wq_release(). */
export function kfd_process_worker(): void {
  block_until(() => kfd.exiting, { what: 'kfd_process_wq_release() waits for work' })
  kfd.exiting = false
  kfd_process_wq_release()
  kfd.exited = true
}

/**
 * The workers of the driver, as one thread of a scenario: svm_range_bo_wq_release() of what is queued, kfd_process_wq_release() at the end of the
 * process, one after the other. It ends when the process is gone and no svm_bo is left: a reference that is never given back makes it wait for ever.
 */
export function kfd_worker(): void {
  while (true) {
    block_until(() => kfd.release_work[0] || kfd.release_work[1] || kfd.exiting || (kfd.exited && none_is_left()), { what: 'the workers of the driver' })
    if (take_release_work(0)) svm_range_bo_release(kfd.bos[0]!)
    else if (take_release_work(1)) svm_range_bo_release(kfd.bos[1]!)
    else if (kfd.exiting) {
      kfd.exiting = false
      kfd_process_wq_release()
      kfd.exited = true
    } else return
  }
}

function take_release_work(i: number): boolean {
  return atomic(() => {
    const queued = kfd.release_work[i]
    kfd.release_work[i] = false
    return queued
  })
}

/** For properties: every svm_bo was released. */
export function none_is_left(): boolean {
  return !kfd.taken[0] && !kfd.taken[1]
}

/**
 * svm_range_bo_release(): nobody holds it. The range on its list forgets it; a range that an eviction took from the list does not.
 * pdd->vram_usage and the mm reference for it are left out.
 */
function svm_range_bo_release(svm_bo: SvmRangeBo): void {
  spin_lock(svm_bo.list_lock)
  const prange = svm_bo.range_list
  if (prange !== null) {
    svm_bo.range_list = null
    prange.on_list = false
    spin_unlock(svm_bo.list_lock)
    mutex_lock(prange.lock)
    prange.svm_bo = null
    if (change.kfd_counts_vram_pages) WARN_ONCE_actual_loc(prange)
    mutex_unlock(prange.lock)
    spin_lock(svm_bo.list_lock)
  }
  spin_unlock(svm_bo.list_lock)
  if (!change.kfd_evicts_in_ttm) dma_fence_signal(svm_bo)
  amdgpu_bo_unref(svm_bo)
}

/** WARN_ONCE() of svm_range_bo_release(), since the range counts its pages. */
function WARN_ONCE_actual_loc(prange: SvmRange): void {
  WARN_ON_ONCE(
    prange.actual_loc,
    'prange should not hold vram page',
    'the last reference of a svm_bo is gone, and the range still says that its pages are on the GPU',
  )
}

/** dma_fence_signal() of the eviction fence: eviction cannot begin afterwards. */
function dma_fence_signal(svm_bo: SvmRangeBo): void {
  const fence = fence_of(svm_bo)
  spin_lock(fence.lock)
  fence.signaled = true
  spin_unlock(fence.lock)
}

function fence_of(svm_bo: SvmRangeBo): EvictionFence {
  return svm_bo === kfd.bos[0] ? fence0 : fence1
}

/**
 * amdgpu_bo_unref() and kfree(): the memory of the GPU is free again. In the rework of v7.x the svm_bo is part of the amdgpu_bo, and stays
 * while TTM holds it.
 */
function amdgpu_bo_unref(svm_bo: SvmRangeBo): void {
  atomic(() => {
    if (change.kfd_evicts_in_ttm && kfd.held_by_both === svm_bo) kfd.held_by_both = null
    else svm_range_bo_destroy(svm_bo)
  })
}

/** The amdgpu_bo and the svm_bo are freed; in one step with the reference that was the last. */
function svm_range_bo_destroy(svm_bo: SvmRangeBo): void {
  if (kfd.vram === svm_bo) kfd.vram = null
  for (let i = 0; i < 2; i++) if (kfd.bos[i] === svm_bo) kfd.taken[i] = false
  svm_bo.mm = null
  retire(svm_bo)
}

// ---- memory of the GPU for a range ---------------------------------------------------------------------------------------------

/**
 * svm_range_validate_svm_bo(): true if the range has GPU memory already. Otherwise a svm_bo it had is gone when this returns; which is
 * waited for in a loop of cond_resched().
 */
function svm_range_validate_svm_bo(prange: SvmRange): boolean {
  mutex_lock(prange.lock)
  const svm_bo = prange.svm_bo
  if (svm_bo === null) {
    mutex_unlock(prange.lock)
    return false
  }
  if (prange.ttm_res) {
    mutex_unlock(prange.lock)
    return true
  }
  if (svm_bo_ref_unless_zero(svm_bo)) {
    if (svm_bo.evicting) {
      mutex_unlock(prange.lock)
      svm_range_bo_unref(svm_bo)
      // dma_fence_wait() of the eviction fence.
      if (!change.kfd_evicts_in_ttm) block_until(() => fence_of(svm_bo).signaled, { what: 'svm_range_validate_svm_bo() waits for the eviction fence' })
    } else {
      mutex_unlock(prange.lock)
      prange.ttm_res = true
      return true
    }
  } else mutex_unlock(prange.lock)
  block_until(() => !prange.on_list && prange.svm_bo === null, { what: 'svm_range_validate_svm_bo() waits until the range is free of its svm_bo' })
  return false
}

/** svm_range_vram_node_new(): GPU memory for the range. False if there is none. */
export function svm_range_vram_node_new(prange: SvmRange): boolean {
  if (svm_range_validate_svm_bo(prange)) return true
  const svm_bo = svm_range_bo_new()
  if (svm_bo === null) return false
  prange.svm_bo = svm_bo
  prange.ttm_res = true
  spin_lock(svm_bo.list_lock)
  svm_bo.range_list = prange
  prange.on_list = true
  spin_unlock(svm_bo.list_lock)
  return true
}

/**
 * svm_range_bo_new() and amdgpu_bo_create() with AMDGPU_GEM_CREATE_VRAM_CLEARED: null if the GPU has no memory left. Eviction to make room is
 * another thread of a scenario.
 */
function svm_range_bo_new(): SvmRangeBo | null {
  return atomic(() => {
    let got: SvmRangeBo | null = null
    for (let i = 0; i < 2; i++) {
      const svm_bo = kfd.bos[i]
      if (got === null && svm_bo !== null && !kfd.taken[i] && kfd.vram === null) {
        kfd.taken[i] = true
        revive(svm_bo)
        svm_bo.kref = 1
        svm_bo.evicting = false
        svm_bo.mm = kfd.vma!.mm
        fence_of(svm_bo).signaled = false
        kfd.vram = svm_bo
        kfd.pgmap!.pages[0]!.data = 0
        got = svm_bo
      }
    }
    return got
  })
}

/** svm_range_vram_node_free(): the range gives its reference of the svm_bo back, once. */
export function svm_range_vram_node_free(prange: SvmRange): void {
  mutex_lock(prange.lock)
  if (prange.ttm_res) {
    prange.ttm_res = false
    mutex_unlock(prange.lock)
    const svm_bo = prange.svm_bo
    if (svm_bo !== null) svm_range_bo_unref(svm_bo)
  } else mutex_unlock(prange.lock)
}

/**
 * svm_range_set_attr(), svm_range_trigger_migration(): the process wants its range on the GPU. The migration is made with mmap_lock for
 * reading, which was taken for writing: so no CPU fault is under way then. Without `amdkfd_svm` there is no such driver, and nothing
 * happens.
 */
export function svm_range_prefetch_to_vram(): void {
  if (!change.amdkfd_svm) return
  const vma = kfd.vma!
  const prange = svm_range
  down_write(vma.mm.mmap_lock)
  mutex_lock(kfd.svms_lock)
  downgrade_write(vma.mm.mmap_lock)
  mutex_lock(prange.migrate_mutex)
  if (change.kfd_counts_vram_pages || !prange.actual_loc) svm_migrate_to_vram(prange, vma)
  mutex_unlock(prange.migrate_mutex)
  mutex_unlock(kfd.svms_lock)
  up_read(vma.mm.mmap_lock)
}

/** svm_range_restore_pages(): the GPU faults (XNACK), and the range goes to its memory. CPU faults may be under way, as both read mmap_lock. */
export function svm_range_restore_pages(): void {
  if (!change.amdkfd_svm) return
  const vma = kfd.vma!
  const prange = svm_range
  // get_task_mm()
  if (!mmget_not_zero(vma.mm)) return
  down_read(vma.mm.mmap_lock)
  mutex_lock(kfd.svms_lock)
  mutex_lock(prange.migrate_mutex)
  if (change.kfd_counts_vram_pages || !prange.actual_loc) svm_migrate_to_vram(prange, vma)
  mutex_unlock(prange.migrate_mutex)
  mutex_unlock(kfd.svms_lock)
  up_read(vma.mm.mmap_lock)
  // kfd_unref_process() comes after mmput(): until then the process is this fault's.
  if (mmput(vma)) kfd.exiting = true
}

/** The process ends. */
export function kfd_process_exit(): void {
  kfd_mmput()
}

/**
 * mmput() of the process's address space. Who ends it tells the driver first (mmu_notifier_release(), kfd_process_notifier_release()), which
 * queues kfd_process_wq_release(); then the page tables are emptied. The grace period of SRCU between is over at any time. Also
 * mmput_async(), whose work is done at once.
 */
export function kfd_mmput(): void {
  if (!mmput_testzero(kfd.vma!.mm)) return
  kfd.exiting = true
  kfd.invalidating = true
  exit_mmap(kfd.vma!)
  kfd.invalidating = false
}

/** kfd_process_wq_release(), svm_range_list_fini(): the range goes. */
function kfd_process_wq_release(): void {
  svm_range_unlink(svm_range)
  // svm_range_remove_notifier(): mmu_interval_notifier_remove() waits for an invalidation under way.
  block_until(() => !kfd.invalidating, { what: 'svm_range_remove_notifier() waits until the page tables are empty' })
  svm_range_free(svm_range)
}

/** svm_range_unlink(). */
function svm_range_unlink(prange: SvmRange): void {
  unlist(prange)
}

/** Takes the range from the list of its svm_bo, whose address is read without the lock of the range, and again for the unlock. */
function unlist(prange: SvmRange): void {
  const svm_bo = prange.svm_bo
  if (svm_bo === null) return
  spin_lock(svm_bo.list_lock)
  if (prange.on_list) svm_bo.range_list = null
  prange.on_list = false
  const again = prange.svm_bo
  BUG_ON(again === null, 'prange->svm_bo', 'the svm_bo of the range was released meanwhile: its lock is let go through a null pointer')
  spin_unlock(again!.list_lock)
}

/** svm_range_free(): the range gives its svm_bo back; in the rework of v7.x it waits for an eviction of the range before. */
function svm_range_free(prange: SvmRange): void {
  if (change.kfd_evicts_in_ttm) {
    unlist(prange)
    mutex_lock(prange.migrate_mutex)
    mutex_unlock(prange.migrate_mutex)
  }
  svm_range_vram_node_free(prange)
  retire(prange)
}

// ---- eviction ----------------------------------------------------------------------------------------------------------------

/**
 * TTM wants the memory of a svm_bo for somebody else. It is AMDGPU_GEM_CREATE_DISCARDABLE: once the driver says that it may go,
 * its content is dropped (ttm_bo_pipeline_gutting()), and the next owner of the memory writes there.
 */
export function ttm_bo_evict(svm_bo: SvmRangeBo): void {
  if (!change.amdkfd_svm) return
  if (change.kfd_evicts_in_ttm) {
    if (!ttm_bo_get_unless_zero(svm_bo)) return
    if (svm_range_evict_svm_bo(svm_bo)) discard(svm_bo)
    ttm_bo_put(svm_bo)
    return
  }
  if (!enable_signaling(svm_bo)) return
  svm_range_evict_svm_bo_worker(svm_bo)
  // dma_fence_wait(): the worker, which is what this thread was meanwhile, or the release of the svm_bo has signalled the fence.
  block_until(() => fence_of(svm_bo).signaled, { what: 'TTM waits for the eviction fence' })
  discard(svm_bo)
}

/** The memory goes to somebody else, whose data are 3. */
function discard(svm_bo: SvmRangeBo): void {
  atomic(() => {
    if (kfd.vram === svm_bo) {
      kfd.vram = null
      kfd.pgmap!.pages[0]!.data = 3
    }
  })
}

/** ttm_bo_get_unless_zero() on the way through the LRU list: only a BO that has memory is there. @primitive */
function ttm_bo_get_unless_zero(svm_bo: SvmRangeBo): boolean {
  return atomic(() => {
    const got = kfd.vram === svm_bo
    if (got) kfd.held_by_both = svm_bo
    return got
  })
}

/** ttm_bo_put(): the last reference if the svm_bo was released meanwhile. */
function ttm_bo_put(svm_bo: SvmRangeBo): void {
  atomic(() => {
    if (kfd.held_by_both === svm_bo) kfd.held_by_both = null
    else svm_range_bo_destroy(svm_bo)
  })
}

/**
 * amdkfd_fence_enable_signaling(), svm_range_schedule_evict_svm_bo(), under the lock of the fence, which is not signalled: so the svm_bo
 * is there. True if the work is queued.
 */
function enable_signaling(svm_bo: SvmRangeBo): boolean {
  const fence = fence_of(svm_bo)
  let queued = false
  spin_lock(fence.lock)
  if (!fence.signaled && kfd.vram === svm_bo) {
    if (svm_bo_ref_unless_zero(svm_bo)) {
      svm_bo.evicting = true
      queued = true
    }
  }
  spin_unlock(fence.lock)
  return queued
}

/** svm_range_evict_svm_bo_worker(), until the rework of v7.x: whatever comes of the migration, the fence is signalled in the end. */
function svm_range_evict_svm_bo_worker(svm_bo: SvmRangeBo): void {
  const vma = kfd.vma!
  if (!mmget_not_zero(svm_bo.mm!)) {
    svm_range_bo_unref(svm_bo)
    return
  }
  down_read(vma.mm.mmap_lock)
  spin_lock(svm_bo.list_lock)
  const prange = svm_bo.range_list
  let done = true
  if (prange !== null) {
    svm_bo.range_list = null
    prange.on_list = false
    spin_unlock(svm_bo.list_lock)
    mutex_lock(prange.migrate_mutex)
    done = evict_range(prange, vma)
    mutex_unlock(prange.migrate_mutex)
    spin_lock(svm_bo.list_lock)
  }
  spin_unlock(svm_bo.list_lock)
  up_read(vma.mm.mmap_lock)
  kfd_mmput()
  dma_fence_signal(svm_bo)
  warn_unless_last(svm_bo, done)
  svm_range_bo_unref(svm_bo)
}

/**
 * svm_range_evict_svm_bo(), v7.x: TTM calls it, and skips the svm_bo if the answer is an error. True is success, which is also the
 * answer if the migration did not take place.
 */
function svm_range_evict_svm_bo(svm_bo: SvmRangeBo): boolean {
  const vma = kfd.vma!
  if (!svm_bo_ref_unless_zero(svm_bo)) return true
  if (!mmget_not_zero(svm_bo.mm!)) {
    svm_range_bo_unref(svm_bo)
    return true
  }
  if (!down_read_trylock(vma.mm.mmap_lock)) {
    kfd_mmput()
    svm_range_bo_unref(svm_bo)
    return false
  }
  svm_bo.evicting = true
  let done = true
  spin_lock(svm_bo.list_lock)
  const prange = svm_bo.range_list
  if (prange !== null) {
    if (!mutex_trylock(prange.migrate_mutex)) {
      svm_bo.evicting = false
      done = false
    } else {
      svm_bo.range_list = null
      prange.on_list = false
      spin_unlock(svm_bo.list_lock)
      done = evict_range(prange, vma)
      mutex_unlock(prange.migrate_mutex)
      spin_lock(svm_bo.list_lock)
    }
  }
  spin_unlock(svm_bo.list_lock)
  up_read(vma.mm.mmap_lock)
  kfd_mmput()
  warn_unless_last(svm_bo, done)
  svm_range_bo_unref(svm_bo)
  return done
}

/** The loop of both: three attempts; if the range is still on the GPU then, a message is all. False is an error of the migration. */
function evict_range(prange: SvmRange, vma: Vma): boolean {
  let done = true
  for (let i = 0; i < 3; i++) if (i === 0 || (done && prange.actual_loc)) done = svm_migrate_vram_to_ram(prange, vma, null)
  if (!prange.actual_loc) {
    mutex_lock(prange.lock)
    prange.svm_bo = null
    mutex_unlock(prange.lock)
  }
  return done
}

function warn_unless_last(svm_bo: SvmRangeBo, done: boolean): void {
  WARN_ON_ONCE(
    done && svm_bo.kref !== 1,
    'This was not the last reference',
    'the eviction reports success, and somebody still holds the svm_bo: a page of it is in use, whose memory goes to somebody else now',
  )
}
