/** Which kernel a recording is of, where it does not say: by functions that exist in some kernels only. Source: the four trees. */

import { plainName } from './tables.ts'

/** The newest first; a trace that shows one of the functions is of that kernel or a near one. */
const TELLING: readonly (readonly [string, RegExp])[] = [
  ['7.3', /^(__zap_vma_range|__migrate_device_finalize|walk_page_range_vma_unsafe|do_huge_pmd_device_private|migrate_device_pfn_lock)$/],
  ['6.12', /^(try_grab_folio_fast|gup_fast_fallback|folios_put_refs|unpin_user_folio|do_vmi_align_munmap|vms_complete_munmap_vmas|free_zone_device_folio)$/],
  ['6.1', /^(_*put_devmap_managed_page_refs|do_mas_\w+|migrate_device_finalize|zone_device_page_init|try_get_folio|iov_iter_get_pages2)$/],
  ['5.10', /^(put_devmap_managed_page|try_grab_compound_head|new_sync_read|migrate_vma_prepare)$/],
]

/** The release suggested by function names; undefined if none tells. */
export function guessRelease(functions: Iterable<string>): string | undefined {
  let best = TELLING.length
  for (const said of functions) {
    const name = plainName(said)
    const at = TELLING.findIndex(([, telling]) => telling.test(name))
    if (at >= 0 && at < best) best = at
  }
  return TELLING[best]?.[0]
}

/** The same from the text of /proc/kallsyms: the functions a kernel has, used or not. */
export function guessReleaseOf(kallsyms: Uint8Array): string | undefined {
  if (kallsyms.length === 0) return undefined
  const names: string[] = []
  for (const line of new TextDecoder('latin1').decode(kallsyms).split('\n')) {
    const name = line.split(' ')[2]
    if (name !== undefined) names.push(name.split('\t')[0])
  }
  return guessRelease(names)
}
