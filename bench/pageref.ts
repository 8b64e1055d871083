/** How fast the explorer is on the model that SPIN, TLC and Stateright were measured with: 3 cpus, 4 pages, 5,005,376 states. */
import { explore } from '../src/engine/explore.ts'
import type { ExploreOptions } from '../src/engine/verdict.ts'
import { pageref } from '../test/engine/pageref.ts'

const STATES = 5_005_376

/** Searches it once a configuration and prints states a second and bytes a state. */
export async function benchPageref(): Promise<void> {
  const rows: readonly [string, ExploreOptions][] = [
    ['js, 1 worker', { backend: 'js', jobs: 1 }],
    ['wasm, 1 worker', { backend: 'wasm', jobs: 1 }],
    ['wasm, 2 workers', { backend: 'wasm', jobs: 2 }],
    ['wasm, 1 worker, fingerprints', { backend: 'wasm', jobs: 1, fingerprint: true }],
  ]
  for (const [name, options] of rows) {
    const result = await explore(pageref(3, 4), { ...options, livelock: false })
    if (result.states !== STATES) throw new Error(`${name}: ${result.states} states instead of ${STATES}`)
    const rate = (result.states / result.seconds / 1e6).toFixed(2)
    console.log(`${name.padEnd(30)} ${result.seconds.toFixed(2)} s  ${rate} M states/s  ${(result.peakBytes / result.states).toFixed(1)} bytes/state`)
  }
}
