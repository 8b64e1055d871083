// Models written by somebody else, in Promela: rewritten in the modelling language they have exactly SPIN's states.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { explore } from '../../src/engine/explore.ts'
import { compile } from '../../src/index.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Program } from '../../src/ir/program.ts'
import { runSpin } from '../export/spin.ts'

const file = (name: string): string => fileURLToPath(new URL(`../../../test/${name}`, import.meta.url))
const model = (name: string): Program => compile(file(`models/${name}.ts`))
const pml = (name: string): string => readFileSync(file(`export/${name}.pml`), 'utf8')

test('pageref: the states and transitions of SPIN, less its state before the processes are started', async () => {
  const ours = await explore(model('pageref'), { grain: 'access' })
  const spin = runSpin(pml('pageref'), { defines: ['NPROC=3', 'NPAGE=3'], spin: [], depth: 2_000_000 })
  assert.equal(spin.states - 1, ours.states)
  assert.equal(spin.transitions - 1, ours.transitions)
  assert.equal(ours.states, 285_098)
  assert.equal(ours.verdict, 'pass')
  assert.equal(spin.errors, 0)
})

test('pageref with a lost update: SPIN finds it too, and the shortest violation has 10 steps', async () => {
  const ours = await explore(model('pageref-bug'), { grain: 'access', maxStates: 500_000, livelock: false })
  const lengths = ours.checks.flatMap((check) => (check.counterexample ? [check.counterexample.steps.length] : []))
  assert.equal(Math.min(...lengths), 10)
  assert.ok(runSpin(pml('pageref'), { defines: ['NPROC=3', 'NPAGE=3', 'BUG'], spin: [], depth: 2_000_000 }).errors > 0)
})

for (const gups of [2, 3]) {
  test(`zdev with ${gups} lookups: the states and transitions of SPIN, whatever its options`, async () => {
    const ours = await explore(model(`zdev-${gups}`), { grain: 'access' })
    for (const spin of gups === 2 ? [[], ['-o1', '-o2', '-o3']] : [[]]) {
      const theirs = runSpin(pml('zdev-atomic'), { defines: [`NGUP=${gups}`, 'NPAGE=2', 'LIM=1'], spin })
      assert.deepEqual([theirs.states - 1, theirs.transitions - 1, theirs.errors], [ours.states, ours.transitions, 0])
    }
    assert.equal(ours.verdict, 'pass')
  })
}

test('zdev: the original, with local statements as a person writes them, has the same verdict', () => {
  assert.equal(runSpin(pml('zdev'), { defines: ['NGUP=2', 'NPAGE=2', 'LIM=1'], spin: [] }).errors, 0)
})

test('the interpreter counts as the explorer does', async () => {
  const program = model('zdev-2')
  const interpreter = interpret(program)
  const seen = new Set<string>()
  let frontier = [interpreter.initial()]
  let transitions = 0
  for (const state of frontier) seen.add(state.join())
  while (frontier.length > 0) {
    const next: Int32Array[] = []
    for (const state of frontier) {
      for (const { to } of interpreter.successors(state)) {
        transitions++
        if (to && !seen.has(to.join())) {
          seen.add(to.join())
          next.push(to)
        }
      }
    }
    frontier = next
  }
  const ours = await explore(program, { grain: 'access' })
  assert.deepEqual([seen.size, transitions], [ours.states, ours.transitions])
})
