// drivers/gpu/drm/nouveau/nouveau_svm.c: the GPU's page tables of a process that opened the device and asked for shared virtual
// memory. Each device page of the process leads to its svmm by zone_device_data.
import { BUG_ON, retire, step } from 'putpage/model'
import type { Page, Vma } from '../../../../include/linux/mm_types.ts'
import { Mutex, mutex_lock, mutex_unlock } from '../../../../include/linux/mutex.ts'
import { down_read, up_read } from '../../../../include/linux/rwsem.ts'
import { change } from '../../../../switches.ts'
import { nouveau_dmem_migrate_vma } from './nouveau_dmem.ts'

/** struct nouveau_svmm. */
export class NouveauSvmm {
  mutex = new Mutex()
  /** svmm->vmm is not null. */
  vmm = true
  /** The page of the device to which the one entry of the GPU's page table leads. Only the driver itself clears it here: MMU notifiers are left out. */
  entry: Page | null = null
}

/** nouveau_svmm_bind(), DRM_NOUVEAU_SVM_BIND: the process wants its page on the device. */
export function nouveau_svmm_bind(svmm: NouveauSvmm, vma: Vma): void {
  down_read(vma.mm.mmap_lock)
  nouveau_dmem_migrate_vma(svmm, vma)
  up_read(vma.mm.mmap_lock)
}

/** nouveau_svmm_invalidate(): the GPU's entries go. */
export function nouveau_svmm_invalidate(svmm: NouveauSvmm): void {
  BUG_ON(!svmm.vmm, 'kernel NULL pointer dereference', 'svmm->vmm is null: the file of the device is closed, and a page of the process is still there')
  svmm.entry = null
}

/**
 * nouveau_pfns_map(): the GPU gets the entries of what was migrated, before it faults on it. v7.3 hands the order of the last folio over
 * for the page shift; no page size of the GPU is that small, so it is refused (-EINVAL), which nobody looks at.
 */
export function nouveau_pfns_map(svmm: NouveauSvmm, page: Page | null): void {
  mutex_lock(svmm.mutex)
  if (!change.nouveau_pfns_map_by_order) svmm.entry = page
  mutex_unlock(svmm.mutex)
}

/**
 * nouveau_svmm_fini(): the file of the device is closed, or the device goes. The pages of the process stay on the device, and
 * zone_device_data of each still leads here. mmu_notifier_put() frees the svmm after a grace period of the notifier's SRCU, which a CPU
 * fault is in only while it invalidates: a moment later here.
 */
export function nouveau_svmm_fini(svmm: NouveauSvmm): void {
  mutex_lock(svmm.mutex)
  svmm.vmm = false
  mutex_unlock(svmm.mutex)
  // mmu_notifier_put()
  step()
  retire(svmm)
}
