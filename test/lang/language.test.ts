import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { explore } from '../../src/engine/explore.ts'
import { compile } from '../../src/index.ts'
import { loadModel } from '../../src/lang/compile.ts'
import { ModelError } from '../../src/lang/diagnostic.ts'

const MODEL = fileURLToPath(new URL('../../../src/lang/model.ts', import.meta.url))

/** Compiles a scenario written in the test. */
async function compileText(text: string) {
  const { readFileSync } = await import('node:fs')
  const model = loadModel(
    {
      root: '/project',
      readFile: (path) => (path === '/project/mine.ts' ? text : path === '/project/src/lang/model.ts' ? readFileSync(MODEL, 'utf8') : undefined),
    },
    ['/project/mine.ts'],
  )
  return model.compile(model.scenarios[0])
}

const scenarioOf = (
  declarations: string,
  threads: string,
  rest = '',
): string => `import { atomic, block_until, choose, expect, type FixedArray, array, type Guarded, identical, type Int, me, type PerThread, perThread, same, scenario, step, struct, structs, type Thread, type Word } from 'putpage/model'
${declarations}
export default scenario({ about: 'a', bounds: 'b', threads: { ${threads} }, sometimes: { always: () => true }, ${rest} })
`

test('an injected failure happens at most once a site and run', async () => {
  const file = fileURLToPath(new URL('../../../test/models/may-fail.ts', import.meta.url))
  const result = await explore(compile(file))
  assert.equal(result.verdict, 'pass')
})

test('a.x = b.y + c.z is two reads and a write', async () => {
  const program = await compileText(
    scenarioOf(
      'class A { x: Int<0, 9> = 1 }\nconst [] = [] as never[]\nconst a = struct(A)\nconst b = struct(A)\nconst c = struct(A)',
      't() { a.x = b.x + c.x }, u() { b.x = 2; c.x = 3; a.x = 0 }',
    ).replace('const [] = [] as never[]\n', ''),
  )
  const accesses = program.threads[0].nodes.filter((node) => (node.op === 'load' || node.op === 'store') && node.access)
  assert.equal(accesses.length, 3)
})

test('a word is read in one access and compared whole', async () => {
  const program = await compileText(
    scenarioOf(
      "type P = Word<{ kind: 'none' | 'some'; n: Int<0, 3> }>\nclass A { p: P = { kind: 'none', n: 0 }; hit = false }\nconst a = struct(A)",
      "t() { const old = a.p; if (same(old, a.p)) a.hit = true }, u() { a.p = { kind: 'some', n: 3 } }",
      "always: { x: () => !(a.p.kind === 'none' && a.p.n === 3) }",
    ),
  )
  const result = await explore(program, { grain: 'access' })
  assert.equal(result.verdict, 'pass')
  assert.equal(program.threads[1].nodes.filter((node) => node.op === 'store' && node.access).length, 1)
})

test('leaving the range of an integer is a finding, and the path ends there', async () => {
  const program = await compileText(scenarioOf('class A { x: Int<0, 1> = 0 }\nconst a = struct(A)', 't: identical(2, () => { atomic(() => { a.x += 1 }) })'))
  const result = await explore(program)
  const range = result.checks.find((check) => program.checks[check.check].kind === 'range')
  assert.equal(range?.outcome, 'violation')
  assert.equal(range?.counterexample?.steps.length, 2)
})

test('a guarded field touched without its lock is a race, and the search goes on at grain access', async () => {
  const program = await compileText(
    scenarioOf(
      'class Lock { owner: Thread | null = null }\nclass A { lock = new Lock(); x: Guarded<Int<0, 3>, "lock"> = 0 }\nconst a = struct(A)',
      't() { block_until(() => a.lock.owner === null, { then: () => { a.lock.owner = me() } }); a.x = 1; a.lock.owner = null }, u() { a.x = 2 }',
    ),
  )
  const result = await explore(program)
  assert.equal(result.grain, 'access')
  const failed = result.checks.filter((check) => check.outcome === 'violation').map((check) => program.checks[check.check].kind)
  assert.deepEqual(failed, ['race'])
})

for (const [what, threads, message] of [
  ['a method', 't() { a.go() }', /TypeScript|does not exist|only functions are called/],
  ['optional chaining', 't() { const r = a.next?.x; if (r === 1) a.x = 1 }', /hides a test for null/],
  ['a regular expression', 't() { const r = /x/; }', /not part of the modelling language/],
  ['a loop without an access', 't() { let k: Int<0, 3> = 0; while (k < 3) { if (choose(2) === 1) k += 1 } }', /can go round without touching shared state/],
  ['a wait inside a step', 't() { atomic(() => { block_until(() => a.x === 1) }) }', /cannot wait in its middle/],
] as const) {
  test(`${what} is refused with advice`, async () => {
    await assert.rejects(
      compileText(scenarioOf('class A { x: Int<0, 3> = 0; next: A | null = null }\nconst a = struct(A)', threads)),
      (error: unknown) => error instanceof ModelError && message.test(error.message),
    )
  })
}

test('a return before anything else ends the function, in a thread and in the set-up', async () => {
  const declarations = 'class A { x = false; y = false }\nconst a = struct(A)\nfunction f(on: boolean): void { if (on) return; a.x = true }'
  const program = await compileText(scenarioOf(declarations, 't() { f(true); a.y = true }', 'setup() { f(true) }, always: { x: () => !a.x }'))
  const result = await explore(program)
  assert.equal(result.verdict, 'pass')
  assert.ok(program.threads[0].nodes.some((node) => node.op === 'store' && node.access))
})

test('a set-up that stores what a field cannot hold is refused, with the value and the range', async () => {
  const text = scenarioOf('class A { x: Int<0, 3> = 3 }\nconst a = struct(A)', 't() { a.x = 0 }', 'setup() { a.x += 1 }')
  await assert.rejects(
    compileText(text),
    (error: unknown) => error instanceof ModelError && /the set-up stores 4 in A\.x, which holds 0 to 3/.test(error.message),
  )
})
