// page->zone_device_data: one word that belongs to the driver, a pointer to whatever it needs. In use it leads to the driver's
// data of the page; on a free list that is linked through it, to the next free page. At most one of the pointers here is set.
import type { Word } from 'putpage/model'
import type { UvmemPagePvt } from '../../arch/powerpc/kvm/book3s_hv_uvmem.ts'
import type { SvmRangeBo } from '../../drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import type { NouveauSvmm } from '../../drivers/gpu/drm/nouveau/nouveau_svm.ts'
import type { Backing, Page } from './mm_types.ts'

export type ZoneDeviceData = Word<{
  rpage: Backing | null
  next: Page | null
  pvt: UvmemPagePvt | null
  svmm: NouveauSvmm | null
  svm_bo: SvmRangeBo | null
}>

export const NO_DATA: ZoneDeviceData = { rpage: null, next: null, pvt: null, svmm: null, svm_bo: null }

/** The link of a free list. */
export function next_free(page: Page | null): ZoneDeviceData {
  return { rpage: null, next: page, pvt: null, svmm: null, svm_bo: null }
}

/** The backing page of lib/test_hmm.c. */
export function backing_data(rpage: Backing | null): ZoneDeviceData {
  return { rpage, next: null, pvt: null, svmm: null, svm_bo: null }
}

/** struct kvmppc_uvmem_page_pvt. */
export function pvt_data(pvt: UvmemPagePvt): ZoneDeviceData {
  return { rpage: null, next: null, pvt, svmm: null, svm_bo: null }
}

/** struct nouveau_svmm. */
export function svmm_data(svmm: NouveauSvmm): ZoneDeviceData {
  return { rpage: null, next: null, pvt: null, svmm, svm_bo: null }
}

/** struct svm_range_bo of amdkfd. */
export function svm_bo_data(svm_bo: SvmRangeBo): ZoneDeviceData {
  return { rpage: null, next: null, pvt: null, svmm: null, svm_bo }
}
