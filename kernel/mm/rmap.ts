// Reverse mapping of anonymous pages: mm/rmap.c. The walk visits every VMA of the scenario, parents before children, and
// looks at each entry under its page-table lock.
import { atomic } from 'putpage/model'
import { put_page } from '../include/linux/mm.ts'
import { anon_vma, GUP_PIN_COUNTING_BIAS, type Page, PTE_NONE, type Vma } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { flush_tlb_range } from './memory.ts'

/** page_remove_rmap(), folio_remove_rmap_pte(). */
export function page_remove_rmap(page: Page): void {
  atomic(() => {
    page._mapcount -= 1
  })
}

/** page_add_file_rmap(), page_add_anon_rmap(). */
export function page_add_rmap(page: Page): void {
  atomic(() => {
    page._mapcount += 1
  })
}

/** page_add_new_anon_rmap(): the page belongs to an anon_vma from here on. */
export function page_add_new_anon_rmap(page: Page): void {
  page.anon = true
  page_add_rmap(page)
}

/** page_mapped(), folio_mapped(). */
export function page_mapped(page: Page): boolean {
  return page._mapcount > 0
}

/** try_to_unmap(TTU_MIGRATION) of v5.10, try_to_migrate(): every mapping that is left becomes a migration entry. */
export function try_to_migrate(page: Page): void {
  for (let i = 0; i < 2; i++) {
    const vma = anon_vma.vmas[i]
    if (vma !== null) try_to_migrate_one(page, vma)
  }
}

/** try_to_unmap_one(), try_to_migrate_one(). */
function try_to_migrate_one(page: Page, vma: Vma): void {
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.page === page && (pte.kind === 'present' || pte.kind === 'device_private')) {
    if (pte.kind === 'present') {
      // ptep_clear_flush()
      vma.pte = PTE_NONE
      flush_tlb_range()
      // page_try_share_anon_rmap(): an exclusive page that may be pinned keeps its mapping.
      if (change.anon_exclusive && pte.write && page_ref_count(page) >= GUP_PIN_COUNTING_BIAS) {
        vma.pte = pte
        spin_unlock(vma.ptl)
        return
      }
    }
    vma.pte = { kind: 'migration', page, write: pte.write }
    page_remove_rmap(page)
    put_page(page, 'pte')
  }
  spin_unlock(vma.ptl)
}
