// drivers/gpu/drm/nouveau/nouveau_dmem.c of v7.3 with large folios: one chunk that is one folio of two pages. A hole of the process goes
// there, and comes back when the driver goes; CPU faults on it are left out.
import { BUG_ON } from 'putpage/model'
import type { DevPagemap } from '../../../../include/linux/memremap.ts'
import type { Page, Pmd } from '../../../../include/linux/mm_types.ts'
import { down_read, up_read } from '../../../../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../../../../include/linux/spinlock.ts'
import { next_free, svmm_data } from '../../../../include/linux/zone_device_data.ts'
import { memremap_pages, zone_device_folio_init } from '../../../../mm/memremap.ts'
import {
  type DstRange,
  migrate_range_by_pfn,
  migrate_range_finalize,
  migrate_range_pages,
  migrate_range_setup,
  type SrcRange,
} from '../../../../mm/migrate_device-range.ts'
import { alloc_large_folio, alloc_page } from '../../../../mm/page_alloc.ts'
import { change } from '../../../../switches.ts'
import { dmem, nouveau_dmem_copy_one } from './nouveau_dmem.ts'
import type { NouveauSvmm } from './nouveau_svm.ts'

const NO_DST: DstRange = { first: null, second: null, compound: false }

/** nouveau_dmem_chunk_alloc() with is_large: set-up. */
export function nouveau_dmem_chunk_alloc_large(pagemap: DevPagemap): void {
  pagemap.ops = 'nouveau'
  dmem.pagemap = pagemap
  dmem.npages = 2
  dmem.large = true
  memremap_pages(pagemap, 2)
  const folio = pagemap.pages[0]!
  folio.zone_device_data = next_free(null)
  dmem.free_folios = folio
}

/** nouveau_dmem_page_alloc_locked() with is_large. */
function nouveau_dmem_folio_alloc(): Page | null {
  spin_lock(dmem.lock)
  const folio = dmem.free_folios
  if (folio === null) {
    // nouveau_dmem_chunk_alloc()
    spin_unlock(dmem.lock)
    return null
  }
  dmem.free_folios = folio.zone_device_data.next
  dmem.callocated += 1
  spin_unlock(dmem.lock)
  zone_device_folio_init(folio, dmem.pagemap!, 1)
  return folio
}

/** nouveau_svmm_bind(), nouveau_dmem_migrate_vma() of a range where nothing is yet: it gets a large folio, which is cleared. */
export function nouveau_svmm_bind_large(svmm: NouveauSvmm, pmd: Pmd): void {
  const mm = pmd.vmas[0]!.mm
  down_read(mm.mmap_lock)
  const src = migrate_range_setup(pmd, null)
  const dst = nouveau_dmem_migrate_copy_large(svmm, src)
  const done = migrate_range_pages(pmd, src, dst, null)
  migrate_range_finalize(done, dst, null)
  up_read(mm.mmap_lock)
}

/** nouveau_dmem_migrate_copy_one() of a hole. */
function nouveau_dmem_migrate_copy_large(svmm: NouveauSvmm, src: SrcRange): DstRange {
  if (!src.migrate || !src.compound || src.first !== null) return NO_DST
  const folio = nouveau_dmem_folio_alloc()
  if (folio === null) return NO_DST
  folio.data = 0
  folio.next_page!.data = 0
  folio.zone_device_data = svmm_data(svmm)
  return { first: folio, second: null, compound: true }
}

/**
 * nouveau_dmem_evict_chunk() of a chunk of large folios. Single pages are allocated with __GFP_NOFAIL, large folios are not, and nobody asks. The destination of a large folio is as large, and the dst array does not say so
 * (no MIGRATE_PFN_COMPOUND): a source that is large is not migrated to what looks like a single page.
 */
export function nouveau_dmem_evict_folios(): void {
  const pagemap = dmem.pagemap!
  const src = migrate_range_by_pfn(pagemap.pages[0]!, pagemap.pages[1]!)
  const dst = nouveau_dmem_evict_copy(src)
  const done = migrate_range_pages(null, src, dst, null)
  migrate_range_finalize(done, dst, null)
}

function nouveau_dmem_evict_copy(src: SrcRange): DstRange {
  const first = src.first
  const second = src.second
  if (first !== null && src.migrate && src.compound) {
    const folio = alloc_large_folio()
    BUG_ON(
      folio === null,
      'kernel NULL pointer dereference',
      'there is no ordinary folio as large as the one that is evicted: folio_alloc() failed, and page_folio() is asked of nothing',
    )
    nouveau_dmem_copy_one(first, folio!)
    folio!.next_page!.data = first.next_page!.data
    return { first: folio, second: null, compound: change.nouveau_evicts_large_folios }
  }
  let dst = NO_DST
  if (first !== null && src.migrate) dst = { first: evict_copy_page(first), second: null, compound: false }
  if (second !== null && src.migrate_second) dst = { first: dst.first, second: evict_copy_page(second), compound: false }
  return dst
}

function evict_copy_page(spage: Page): Page {
  const dpage = alloc_page()
  nouveau_dmem_copy_one(spage, dpage)
  return dpage
}
