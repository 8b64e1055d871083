// One code for all sets of changes says of each set what a search of that set's own program says; and what it did not look at
// makes no difference.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Family } from '../../src/engine/family.ts'
import type { ScenarioDeclaration } from '../../src/lang/declarations.ts'
import { elementsOf, OWN_CUT } from '../../src/order/element.ts'
import { compiled, exact, failed, models } from '../model/models.ts'

const KERNEL = 'v5.10'

/** Situations with faults of each kind, of different drivers and file systems, small enough to be compiled for each set. */
const SCENARIOS = [
  'gup-of-mapped-dax',
  'truncate-against-pin',
  'truncate-against-fsync',
  'unbind-against-pinned-fsdax-page',
  'unbind-against-pinned-huge-device-dax-page',
  'single-page-after-huge-one',
  'nouveau-unload-and-exit',
  'memcg-move-of-device-page',
]

/** Numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number> {
  for (let at = seed; ; ) {
    at = (Math.imul(at, 1103515245) + 12345) & 0x7fffffff
    yield at >>> 8
  }
}

for (const name of SCENARIOS) {
  test(`${name}: by the code for all sets as by a set's own`, async () => {
    const { model, scenarios } = models()
    const scenario = scenarios.find((one) => one.name === name) as ScenarioDeclaration
    const elements = elementsOf(model.proposals, [...model.proposals.keys()], OWN_CUT)
    const inputs = [...new Set(elements.flatMap(({ switches }) => switches))]
    const template = model.compileTemplate(scenario, KERNEL, inputs)
    const family = new Family(template.program)
    const search = async (on: ReadonlySet<string>): Promise<{ failures: string[]; reached: string; read: Set<string> } | undefined> => {
      const instance = template.instantiate(on)
      if (!instance) return undefined
      const { exploration, inputsRead } = await family.explore(instance.program, { jobs: 1, traces: false })
      const reached = exploration.sometimes.map((one) => `${one.name} ${one.reached}`).join()
      return { failures: failed(exploration), reached, read: new Set([...instance.preparedBy, ...inputsRead]) }
    }
    const random = numbers(name.length)
    let together = 0
    for (let round = 0; round < 10; round++) {
      // Whole changes, as order asks them; the first and the last rounds none and all.
      const chosen = elements.filter(() => round === 9 || (round > 0 && (random.next().value as number) % 2 === 1))
      const on = new Set(chosen.flatMap(({ switches }) => switches))
      const found = await search(on)
      if (!found) continue
      together++
      const own = await exact(
        compiled(
          name,
          KERNEL,
          [...on].map((change) => `+${change}` as const),
        ),
        { grain: 'lock', traces: false },
      )
      assert.deepEqual([found.failures, found.reached], [failed(own), own.sometimes.map((one) => `${one.name} ${one.reached}`).join()], [...on].join())
      const others = inputs.filter((change) => !found.read.has(change))
      const same = await search(
        new Set([...on].filter((change) => found.read.has(change)).concat(others.filter(() => (random.next().value as number) % 2 === 1))),
      )
      if (same) assert.deepEqual([same.failures, same.reached], [found.failures, found.reached], `after ${[...on].join()}: what was not looked at matters`)
    }
    assert.ok(together >= 8, `${together} of 10 sets by one code`)
  })
}
