/** Within which bounds a verdict holds, in one line. */
import type { Run } from './run.ts'

/** Presets put together from patches and fixes, not taken from a kernel's sources: every output has to say so. */
const RECONSTRUCTED: readonly string[] = ['v5.15+seed', 'v5.18']

/** `2 threads, 1 page, at most 2 pins, every interleaving, lock grain, sequentially consistent, exact`. */
export function boundsLine({ exploration }: Run): string {
  const { program, complete, limit, grain, fingerprint } = exploration
  const parts = [
    program.bounds,
    complete ? 'every interleaving' : `not every interleaving (${limit ?? 'stopped early'})`,
    `${grain} grain`,
    'sequentially consistent',
    fingerprint ? 'not exact (64-bit fingerprints)' : 'exact',
  ]
  if (RECONSTRUCTED.includes(program.kernel)) parts.push(`${program.kernel} is a reconstruction`)
  return parts.filter((part) => part !== '').join(', ')
}

/** `v6.1 +folios -f4f451a16dd1`: the kernel with what was added and taken out. */
export function kernelName({ exploration }: Run): string {
  return [exploration.program.kernel, ...exploration.program.changes].join(' ')
}
