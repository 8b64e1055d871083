// The nodes that a search says it took are those that the interpreter executes on the way through all states.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { diskHost, packageRoot } from '../../src/cli/files.ts'
import { explore, searchAll } from '../../src/engine/explore.ts'
import { atGrain } from '../../src/engine/grain.ts'
import { Limits } from '../../src/engine/limits.ts'
import { reachedWithoutFailing } from '../../src/ir/failing.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Node, Program } from '../../src/ir/program.ts'
import { loadModel } from '../../src/lang/compile.ts'
import { neverCompiled, stepsTaken } from '../../src/report/coverage.ts'
import type { Run } from '../../src/report/run.ts'
import { mutated } from '../checks/overlay.ts'
import { compiled } from '../model/models.ts'
import { check, column, k, l, local, op, program, read, thread } from './build-program.ts'
import { randomProgram } from './random-program.ts'

const isStep = (node: Node): boolean => node.op === 'load' || node.op === 'store' || node.op === 'step' || node.op === 'choose'

/** By the interpreter, over all states. */
function executed(source: Program): string[] {
  const interpreter = interpret(source)
  const known = new Set<string>()
  const found = new Set<string>()
  const pending = [interpreter.initial()]
  while (pending.length > 0) {
    const state = pending.pop() as Int32Array
    if (known.has(state.join())) continue
    known.add(state.join())
    for (const { thread: t, nodes, to } of interpreter.successors(state)) {
      for (const n of nodes) if (isStep(source.threads[t].nodes[n])) found.add(`${t}.${n}`)
      if (to) pending.push(to)
    }
  }
  return [...found].sort()
}

function taken(source: Program, nodes: readonly Uint8Array[] | undefined): string[] {
  assert.ok(nodes)
  return source.threads.flatMap((one, t) => one.nodes.flatMap((node, n) => (isStep(node) && nodes[t][n] !== 0 ? [`${t}.${n}`] : []))).sort()
}

test('coverage of a search is what the interpreter executes, and changes nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async (source) => {
      const plain = await explore(source, { jobs: 1, grain: 'access' })
      for (const backend of ['js', 'wasm'] as const) {
        const { taken: nodes, ...rest } = await explore(source, { jobs: 1, grain: 'access', coverage: true, backend })
        assert.deepEqual({ ...rest, seconds: 0, peakBytes: 0 }, { ...plain, seconds: 0, peakBytes: 0 })
        assert.deepEqual(taken(source, nodes), executed(source))
      }
    }),
    { numRuns: 15 },
  )
})

test('two workers take together what one takes', async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async (source) => {
      const [one, two] = await Promise.all([1, 2].map((jobs) => searchAll(source, { jobs, coverage: true }, new Limits({}), { worthWorkers: 0, worthCode: 0 })))
      assert.deepEqual(taken(source, two.taken), taken(source, one.taken))
    }),
    { numRuns: 6 },
  )
})

test('at grain lock nodes keep their places, and the same ones are taken as at grain access', async () => {
  for (const [scenario, kernel] of [
    ['truncate-against-direct-io', 'v6.1'],
    ['gup-of-mapped-dax', 'v7.3'],
    ['device-fault-and-dontneed', 'v5.10'],
  ] as const) {
    const source = compiled(scenario, kernel)
    const lock = await explore(source, { jobs: 1, coverage: true })
    const access = await explore(source, { jobs: 1, coverage: true, grain: 'access' })
    const plain = await explore(source, { jobs: 1 })
    assert.deepEqual([lock.states, lock.transitions, lock.depth, lock.verdict], [plain.states, plain.transitions, plain.depth, plain.verdict])
    assert.ok(atGrain(source, 'lock').threads[0].nodes.length < source.threads[0].nodes.length, 'something is taken out')
    assert.deepEqual(taken(source, lock.taken), taken(source, access.taken))
  }
})

test('a step that nothing leads to is never taken', async () => {
  const dead = { file: 'kernel/mm/gup.ts', from: 'export function put_user_page(page: Page): void {\n', to: '' }
  const edited = `${dead.from}  if (page._refcount > 15) page._mapcount += 1\n`
  const source = mutated('gup-of-mapped-dax', 'v6.1', [{ ...dead, to: edited }])
  const { taken: nodes } = await explore(source, { jobs: 1, coverage: true })
  const never = stepsTaken(source, nodes ?? []).filter((step) => !step.taken)
  assert.ok(never.some(({ text, function: name }) => name === 'put_user_page' && text.includes('page._mapcount += 1')))
})

test('what only a failed check leads to is told apart, by whatever name its condition goes', () => {
  const failing = op(read(0), '==', k(2))
  const source = program({
    columns: [column('c', 0, 3, [0])],
    checks: [check('warn', 'w')],
    threads: [
      thread(
        't',
        [local('bad', 0, 1)],
        [
          { op: 'check', check: 0, fails: failing },
          { op: 'branch', cond: failing, then: 'failed' },
          { op: 'assign', dst: 0, value: failing },
          { op: 'branch', cond: l(0), then: 'failed' },
          { op: 'branch', cond: { e: 'not', a: l(0) }, then: 'last' },
          { op: 'store', column: 0, value: k(1) },
          { at: 'last' },
          { op: 'end' },
          { at: 'failed' },
          { op: 'store', column: 0, value: k(3) },
          { op: 'end' },
        ],
      ),
    ],
  })
  const reached = reachedWithoutFailing(source, source.threads[0])
  assert.deepEqual([...reached].sort(), [0, 1, 2, 3, 4, 6])
})

test('statements of the model that no program contains, of those inside one another only the outermost', () => {
  const text = `
import { scenario, struct } from 'putpage/model'
class Box { full = false; kind: 'a' | 'b' = 'a' }
const box = struct(Box)
function fill(): void {
  if (box.kind === 'b') {
    box.full = false
    if (box.full) box.full = false
  }
  box.full = true
}
function nobody(): void {
  box.full = false
}
export default scenario({
  about: 'a box', bounds: '1 thread',
  setup() { nothing() },
  threads: { one() { fill() } },
  sometimes: { 'it is full': () => box.full },
})
function nothing(): void { box.full = false }
`
  const disk = diskHost()
  const path = join(packageRoot(), 'scenarios', 'box.ts')
  const model = loadModel({ ...disk, readFile: (name) => (name === path ? text : disk.readFile(name)) }, [path])
  model.compile(model.scenarios[0])
  const run = { lowered: model.lowered() } as unknown as Run
  const never = neverCompiled(model.statements('scenarios/'), [run])
  assert.deepEqual(
    never.map(({ line, function: name, text: first }) => `${line} ${name}: ${first}`),
    ['7 fill: box.full = false', '8 fill: if (box.full) box.full = false', '13 nobody: box.full = false'],
  )
})
