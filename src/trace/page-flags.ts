/**
 * Numbers of the page flags by name. The event formats do not tell them (PG_* are enumerators), and they were renumbered.
 * Source: include/linux/page-flags.h of 5.10, 6.1, 6.12 and 7.3, whose first 22 do not depend on the configuration.
 */

const UNTIL_66 =
  'locked referenced uptodate dirty lru active workingset waiters error slab owner_priv_1 arch_1 reserved private private_2 writeback head mappedtodisk reclaim swapbacked unevictable mlocked'.split(
    ' ',
  )
/** PG_slab and PG_error left one after the other (6.10, 6.12); what lies behind them moved with that. */
const FROM_67 =
  'locked writeback referenced uptodate dirty lru head waiters active workingset error slab owner_priv_1 arch_1 reserved private private_2 mappedtodisk reclaim swapbacked unevictable mlocked'.split(
    ' ',
  )
const FROM_610 =
  'locked writeback referenced uptodate dirty lru head waiters active workingset owner_priv_1 owner_2 arch_1 reserved private private_2 reclaim swapbacked unevictable mlocked'.split(
    ' ',
  )
const FROM_70 =
  'locked writeback referenced uptodate dirty lru head waiters active workingset owner_priv_1 owner_2 arch_1 reserved private private_2 reclaim swapbacked unevictable dropbehind mlocked'.split(
    ' ',
  )

/** The names of bits 0, 1, ... in a release (the newest where it is not known). */
export function flagNames(release: string | undefined): readonly string[] {
  const version = versionOf(release ?? '7.3')
  if (version < 6007) return UNTIL_66
  if (version < 6010) return FROM_67
  return version < 7000 ? FROM_610 : FROM_70
}

/** A release as a number to compare by: 6.12.3 is 6012. 0 if it is none. */
export function versionOf(release: string): number {
  const [major, minor] = release.replace(/^v/, '').split('.').map(Number)
  return (major || 0) * 1000 + (minor || 0)
}

/** The mask of PG_reserved; every bit it ever had where the release is not known. */
export function reservedMask(release: string | undefined): number {
  if (release === undefined) return (1 << 12) | (1 << 13)
  return 1 << flagNames(release).indexOf('reserved')
}
