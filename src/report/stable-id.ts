/** The short name by which people speak of a failure: the same on every machine and after every change of the model that leaves the check in place. */

/** What a failure is: a check of a scenario on a kernel. */
export interface FailureKey {
  readonly scenario: string
  readonly kernel: string
  readonly changes: readonly string[]
  /** `Check.id`. */
  readonly check: string
}

/** Eight hexadecimal digits of scenario, kernel, changes (in any order) and check. */
export function stableId({ scenario, kernel, changes, check }: FailureKey): string {
  // JSON keeps the parts apart: ['a', 'bc'] and ['ab', 'c'] must differ.
  const bytes = new TextEncoder().encode(JSON.stringify([scenario, kernel, [...changes].sort(), check]))
  // FNV-1a, then murmur3's finaliser: ids of checks that differ in their last letter should look unlike.
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash ^= hash >>> 16
  return (hash >>> 0).toString(16).padStart(8, '0')
}
