// However a search is run, it sees the same: generated code of either kind, one worker or two, and the interpreter, which is
// the plain meaning of a program. The package's own scenarios; test/engine does the same with random programs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Backend } from '../../src/engine/compiled.ts'
import { judge, searchAll } from '../../src/engine/explore.ts'
import { layOut, pack, unpack } from '../../src/engine/layout.ts'
import { Limits } from '../../src/engine/limits.ts'
import { compile, Runner } from '../../src/engine/runner.ts'
import type { Exploration } from '../../src/engine/verdict.ts'
import { FAILED, FLAG_BITS, PROGRESS } from '../../src/engine/workspace.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Program } from '../../src/ir/program.ts'
import { compiled, exact, pairs } from '../model/models.ts'

/** One kernel of a scenario, another one each time; of every third scenario or so. */
const ONE_EACH = pairs().filter((pair, i, all) => {
  const same = all.filter((one) => one.scenario === pair.scenario)
  return pair === same[all.findIndex((one) => one.scenario === pair.scenario) % same.length] && i % 3 === 0
})

/** The whole result but for times and sizes. */
function whole(result: Exploration): object {
  return { ...result, seconds: 0, peakBytes: 0 }
}

test('generated JavaScript, WebAssembly and the interpreter count the same states and transitions and give the same counterexamples', async () => {
  for (const { scenario, kernel } of ONE_EACH) {
    const program = compiled(scenario, kernel)
    const [js, wasm] = [await exact(program, { backend: 'js' }), await exact(program, { backend: 'wasm' })]
    assert.deepEqual([js.states, js.transitions, js.depth], [wasm.states, wasm.transitions, wasm.depth], `${scenario} ${kernel}`)
    assert.deepEqual(whole(js), whole(wasm), `${scenario} ${kernel}`)
    // As it is run: by the interpreter, if there is little to search.
    assert.deepEqual(whole(await exact(program)), whole(wasm), `${scenario} ${kernel}`)
  }
})

test('two workers give exactly what one gives, counterexamples included', async () => {
  const run = async (program: Program, jobs: number): Promise<object> => {
    const limits = new Limits({})
    const found = await searchAll(program, { jobs }, limits, { worthWorkers: 0, worthCode: 0 })
    return whole(await judge(program, 'access', { jobs }, limits, found, found))
  }
  for (const { scenario, kernel } of ONE_EACH.filter((_, i) => i % 4 === 0)) {
    const program = compiled(scenario, kernel)
    assert.deepEqual(await run(program, 2), await run(program, 1), `${scenario} ${kernel}`)
  }
})

/** Compares generated code with the interpreter on every successor of every reachable state; gives how many there are. */
function compare(program: Program, backend: Backend): { states: number; transitions: number } {
  const interpreter = interpret(program)
  const layout = layOut(program)
  const runner = new Runner(compile(program, layout, backend))
  const { memory, workspace } = runner
  const known = new Set<string>([interpreter.initial().join()])
  const pending = [interpreter.initial()]
  let transitions = 0
  for (let state = pending.pop(); state; state = pending.pop()) {
    pack(layout, state, memory, workspace.source)
    runner.clearFindings()
    const end = runner.run(1)
    const expected = interpreter.successors(state)
    const made: object[] = []
    for (let at = workspace.out; at < end; at += workspace.record) {
      const meta = memory[at + layout.words + 1]
      made.push({ thread: meta >> FLAG_BITS, progress: (meta & PROGRESS) !== 0, failed: (meta & FAILED) !== 0, to: unpack(layout, memory, at) })
    }
    const leading = expected.filter((one) => one.to !== null)
    assert.deepEqual(
      made,
      leading.map(({ thread, progress, failed, to }) => ({ thread, progress, failed, to })),
    )
    assert.equal(runner.fatal, expected.length - leading.length)
    const violated = [...new Set([...expected.flatMap((one) => one.violations), ...interpreter.stateViolations(state)])].sort((a, b) => a - b)
    assert.deepEqual(
      program.checks.flatMap((_, check) => (runner.violated(check) ? [check] : [])),
      violated,
    )
    transitions += expected.length
    for (const { to } of leading) {
      const key = (to as Int32Array).join()
      if (known.has(key)) continue
      known.add(key)
      pending.push(to as Int32Array)
    }
  }
  return { states: known.size, transitions }
}

test('interpreter and generated code agree on every successor of every state', async () => {
  let compared = 0
  for (const [i, { scenario, kernel }] of ONE_EACH.entries()) {
    const program = compiled(scenario, kernel)
    const searched = await exact(program)
    if (searched.states > 3_000) continue
    const counted = compare(program, i % 2 === 0 ? 'wasm' : 'js')
    assert.deepEqual([counted.states, counted.transitions], [searched.states, searched.transitions], `${scenario} ${kernel}`)
    compared++
  }
  assert.ok(compared >= 15, `${compared} scenarios are small enough`)
})
