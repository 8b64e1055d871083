// page->zone_device_data: one word that belongs to the driver, a pointer to whatever it needs. In use it leads to the driver's
// data of the page; on a free list that is linked through it, to the next free page. At most one of the pointers here is set.
import type { Word } from 'putpage/model'
import type { UvmemPagePvt } from '../../arch/powerpc/kvm/book3s_hv_uvmem.ts'
import type { Backing, Page } from './mm_types.ts'

export type ZoneDeviceData = Word<{ rpage: Backing | null; next: Page | null; pvt: UvmemPagePvt | null }>

export const NO_DATA: ZoneDeviceData = { rpage: null, next: null, pvt: null }

/** The link of a free list. */
export function next_free(page: Page | null): ZoneDeviceData {
  return { rpage: null, next: page, pvt: null }
}

/** The backing page of lib/test_hmm.c. */
export function backing_data(rpage: Backing | null): ZoneDeviceData {
  return { rpage, next: null, pvt: null }
}

/** struct kvmppc_uvmem_page_pvt. */
export function pvt_data(pvt: UvmemPagePvt): ZoneDeviceData {
  return { rpage: null, next: null, pvt }
}
