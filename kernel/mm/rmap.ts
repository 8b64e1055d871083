// Reverse mapping of anonymous pages: mm/rmap.c. The walk visits every VMA of the scenario, parents before children, and
// looks at each entry under its page-table lock.
import { atomic } from 'putpage/model'
import { put_page } from '../include/linux/mm.ts'
import { anon_vma, GUP_PIN_COUNTING_BIAS, type Page, type Pmd, PTE_NONE, type Vma } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { set_pmd_migration_entry, split_huge_pmd_locked } from './huge_memory.ts'
import { flush_tlb_range } from './memory.ts'

/** page_remove_rmap(), folio_remove_rmap_pte(), folio_remove_rmap_pmd(): counted in the folio, for whichever of its pages. */
export function page_remove_rmap(page: Page): void {
  const folio = compound_head(page)
  atomic(() => {
    folio._mapcount -= 1
  })
}

/** page_add_file_rmap(), page_add_anon_rmap(), folio_add_file_rmap_pte(), folio_add_file_rmap_pmd(). */
export function page_add_rmap(page: Page): void {
  const folio = compound_head(page)
  atomic(() => {
    folio._mapcount += 1
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
  rmap_walk_to_migrate(page, false)
}

/** try_to_migrate(TTU_SPLIT_HUGE_PMD): a PMD entry becomes migration entries of single pages. */
export function try_to_migrate_split(folio: Page): void {
  rmap_walk_to_migrate(folio, true)
}

/** rmap_walk_anon(): ends where an entry cannot be taken away, and where nothing maps the folio any more (rwc->done). */
function rmap_walk_to_migrate(folio: Page, split: boolean): void {
  for (let i = 0; i < 2; i++) {
    const vma = anon_vma.vmas[i]
    if (vma !== null) {
      if (vma.pmd !== null && vma.pmd.vmas[0] === vma) try_to_migrate_pmd(folio, vma.pmd, split)
      if (!try_to_migrate_one(folio, vma)) return
      if (i === 0 && anon_vma.vmas[1] !== null && !page_mapped(folio)) return
    }
  }
}

/** The PMD entry of try_to_migrate_one(): of a device-private folio. */
function try_to_migrate_pmd(folio: Page, pmd: Pmd, split: boolean): void {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind === 'device_private' && entry.page === folio) {
    if (split) split_huge_pmd_locked(pmd, true)
    else set_pmd_migration_entry(pmd)
  }
  spin_unlock(pmd.lock)
}

/** try_to_unmap_one(), try_to_migrate_one(). False if the entry stays. */
function try_to_migrate_one(folio: Page, vma: Vma): boolean {
  spin_lock(vma.ptl)
  const pte = vma.pte
  const page = pte.page
  if (page !== null && (pte.kind === 'present' || pte.kind === 'device_private') && compound_head(page) === folio) {
    if (pte.kind === 'present') {
      // ptep_clear_flush()
      vma.pte = PTE_NONE
      flush_tlb_range()
      // page_try_share_anon_rmap(): an exclusive page that may be pinned keeps its mapping.
      if (change.anon_exclusive && pte.write && page_ref_count(folio) >= GUP_PIN_COUNTING_BIAS) {
        vma.pte = pte
        spin_unlock(vma.ptl)
        return false
      }
    }
    vma.pte = { kind: 'migration', page, write: pte.write }
    page_remove_rmap(page)
    put_page(page, 'pte')
  }
  spin_unlock(vma.ptl)
  return true
}
