/** Every modelled function can be made into what recordings are held to, under each kernel's switches. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { modelFunctions } from '../../src/cli/role-books.ts'
import { successors } from '../../src/ir/liveness.ts'

/** They take what no state holds: a function, an array, or data that only scenarios name. `held_in_passing()` is ghost. */
const WITHOUT = [
  'held_in_passing',
  'kernfs_fop_mmap',
  'kfd_release_worker',
  'mmap_region',
  'schedule',
  'unregister_dev_dax',
  'wait_var_event',
  'xfs_file_dax_write',
]

describe('bodies of modelled functions', () => {
  const { functions, kernels, bodies } = modelFunctions()
  for (const kernel of kernels) {
    it(`${kernel.name}: every function has one, and no step of it leads nowhere`, () => {
      const body = bodies(new Set(kernel.has))
      const without: string[] = []
      for (const fn of functions) {
        const found = body(fn)
        if (!found) without.push(fn.name)
        for (const node of found?.thread.nodes ?? [])
          for (const next of successors(node)) assert.ok(next >= 0 && next < (found?.thread.nodes.length ?? 0), `${fn.file}: ${fn.name} is not finished`)
      }
      assert.deepEqual(without.sort(), WITHOUT)
    })
  }
})
