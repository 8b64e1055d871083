// struct dev_pagemap_ops of include/linux/memremap.h: what a driver does for the pages of its pgmap. pgmap->ops is a pointer in
// the kernel and a name here; it is stored once, when the driver registers its memory, so that calls through it are decided
// when a scenario is compiled.
import { BUG_ON, expect } from 'putpage/model'
import { kvmppc_uvmem_migrate_to_ram, kvmppc_uvmem_page_free } from '../../arch/powerpc/kvm/book3s_hv_uvmem.ts'
import { svm_migrate_page_free, svm_migrate_to_ram } from '../../drivers/gpu/drm/amd/amdkfd/kfd_migrate.ts'
import { drm_pagemap_folio_free, drm_pagemap_folio_split, drm_pagemap_migrate_to_ram } from '../../drivers/gpu/drm/drm_pagemap.ts'
import { nouveau_dmem_migrate_to_ram, nouveau_dmem_page_free } from '../../drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { p2pdma_page_free } from '../../drivers/pci/p2pdma.ts'
import { dmirror_devmem_fault, dmirror_devmem_free, mdevice } from '../../lib/test_hmm.ts'
import { dmirror_devmem_fault_folio, dmirror_devmem_folio_split, dmirror_devmem_free_folio } from '../../lib/test_hmm-folio.ts'
import type { FaultResult } from '../../mm/memory.ts'
import type { DevPagemap } from './memremap.ts'
import type { Page, Vma } from './mm_types.ts'
import { compound_head } from './page-flags.ts'

/** pgmap->ops->page_free(), ->folio_free() since v6.19: the driver gets its page back. May run under a page-table lock. @frees */
export function page_free(pgmap: DevPagemap, page: Page): void {
  expect(page._mapcount === 0, 'a device page is freed while an entry maps it')
  switch (pgmap.ops) {
    case 'test_hmm':
      if (mdevice.large) dmirror_devmem_free_folio(page)
      else dmirror_devmem_free(page)
      break
    case 'p2pdma':
      p2pdma_page_free(page)
      break
    case 'nouveau':
      nouveau_dmem_page_free(page)
      break
    case 'amdkfd':
      svm_migrate_page_free(page)
      break
    case 'uvmem':
      kvmppc_uvmem_page_free(page)
      break
    case 'drm_pagemap':
      drm_pagemap_folio_free()
      break
    case 'none':
      break
  }
}

/** pgmap->ops->migrate_to_ram(): the CPU wants a device-private page back. `pte`: vmf->pte is set, the entry is not that of a PMD. */
export function migrate_to_ram(vma: Vma, page: Page, pte: boolean): FaultResult {
  const pgmap = compound_head(page).pgmap
  BUG_ON(pgmap === null, 'page->pgmap', 'the device page has no pgmap, so no driver can be asked to migrate it')
  switch (pgmap!.ops) {
    case 'test_hmm':
      if (!pte) return dmirror_devmem_fault_folio(vma, page)
      return dmirror_devmem_fault(vma, page)
    case 'amdkfd':
      return svm_migrate_to_ram(vma, page)
    case 'nouveau':
      return nouveau_dmem_migrate_to_ram(vma, page)
    case 'uvmem':
      return kvmppc_uvmem_migrate_to_ram(vma, page)
    case 'drm_pagemap':
      return drm_pagemap_migrate_to_ram(vma, page)
    case 'p2pdma':
    case 'none':
      return 'sigbus'
  }
}

/** pgmap->ops->folio_split(): a new folio, or null when all are there. Only drivers of large folios have it. */
export function folio_split(pgmap: DevPagemap, folio: Page, new_folio: Page | null): void {
  if (pgmap.ops === 'drm_pagemap') {
    drm_pagemap_folio_split(folio, new_folio)
    return
  }
  if (pgmap.ops === 'test_hmm') {
    dmirror_devmem_folio_split(folio, new_folio)
    return
  }
  if (new_folio === null) return
  new_folio.pgmap = pgmap
  new_folio.mapping = folio.mapping
}
