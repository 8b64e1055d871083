// The tool that makes mistakes in the model: what it changes, and that it tells a mistake that matters from one that does not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import ts from 'typescript'
import { explanationRow, readExplanations } from './explanations.ts'
import { type Baseline, Laboratory } from './laboratory.ts'
import { allMutants } from './model-files.ts'
import { applyEdits, type Mutant, mutantKey, mutantsOf } from './operators.ts'
import { difference } from './quick-verdict.ts'
import { summarise } from './report.ts'

const SOURCE = `import { put_page, wake_up_var } from './mm.ts'
function f(page: Page): void {
  spin_lock(page.lock)
  page._mapcount -= 1
  put_page(page, 'pte')
  WARN_ON(page._mapcount < 0)
  ghost(() => put_page(page, 'pte'))
  hold(page, 'pte')
  put_page(page, 'pte')
  if (!trylock_page(page)) return
  dax_wake_entry(page, 'all')
}
`
const made = (source: string): Mutant[] =>
  mutantsOf(
    'kernel/mm/a.ts',
    ts.createSourceFile('a.ts', source, ts.ScriptTarget.ES2022, true),
    new Map([
      ['get_page', 'kernel/include/linux/mm.ts'],
      ['lock_page', 'kernel/include/linux/pagemap.ts'],
    ]),
  )

test('each step is taken out, put behind the next, or made another; bookkeeping and checks stay', () => {
  assert.deepEqual(
    made(SOURCE).map(({ line, operator, kind, text }) => `${line} ${kind} ${operator}: ${text}`),
    [
      '3 lock swap with next: spin_lock(page.lock)',
      '4 page-table swap with next: page._mapcount -= 1',
      "9 refcount swap with next: put_page(page, 'pte')",
      '10 wake swap with next: if (!trylock_page(page)) return',
      '3 lock delete: spin_lock(page.lock)',
      '4 page-table delete: page._mapcount -= 1',
      '4 page-table inc/dec: page._mapcount -= 1',
      "5 refcount delete: put_page(page, 'pte')",
      "5 refcount inc/dec: put_page(page, 'pte')",
      "9 refcount delete: put_page(page, 'pte') #2",
      "9 refcount inc/dec: put_page(page, 'pte') #2",
      '10 lock try/blocking: if (!trylock_page(page)) return',
      '10 lock delete: if (!trylock_page(page)) return',
      "11 wake delete: dax_wake_entry(page, 'all')",
      "11 wake wake one/all: dax_wake_entry(page, 'all')",
    ],
  )
})

test('a mutant is the source with that one mistake, on the same lines', () => {
  const line = (nth: number): string => applyEdits(SOURCE, made(SOURCE)[nth].edits).split('\n')[made(SOURCE)[nth].line - 1]
  assert.equal(line(4).trim(), '{}')
  assert.equal(line(6).trim(), 'page._mapcount += 1')
  assert.equal(line(8).trim(), "get_page(page, 'pte')")
  assert.equal(applyEdits(SOURCE, made(SOURCE)[8].edits).split('\n')[0], `import { get_page } from '../include/linux/mm.ts'; ${SOURCE.split('\n')[0]}`)
  assert.equal(line(11).trim(), 'lock_page(page)')
  assert.equal(line(12).trim(), 'if (!(true as boolean)) return')
  assert.equal(line(14).trim(), "dax_wake_entry(page, 'next')")
  const swapped = applyEdits(SOURCE, made(SOURCE)[0].edits).split('\n').slice(2, 4)
  assert.deepEqual(
    swapped.map((one) => one.trim()),
    ['page._mapcount -= 1', 'spin_lock(page.lock)'],
  )
})

test('a verdict changes by what fails, what no longer does, and what never happens; a limit hides what is missing', () => {
  const verdict = (failed: readonly string[], never: readonly string[] = [], complete = true) => ({ failed, never, complete, states: 1 })
  assert.equal(difference(verdict(['a']), verdict(['a'])), undefined)
  assert.equal(difference(verdict(['a']), verdict(['a', 'b'])), 'fails: b')
  assert.equal(difference(verdict(['a']), verdict([])), 'no longer fails: a')
  assert.equal(difference(verdict(['a']), verdict([], [], false)), undefined)
  assert.equal(difference(verdict([]), verdict([], ['x'])), 'never: x')
})

test('explanations are read as they are written; a bar in a statement does not end its cell', () => {
  const [mutant] = made("function f(): void {\n  if (a || b) put_page(page, 'pte')\n  get_page(page, 'pte')\n}\n").slice(-2)
  const row = explanationRow({ ...mutant, text: "if (a || b) put_page(page, 'pte')" }, 'nobody else can see it')
  const read = readExplanations(`| file | function | operator | statement | why |\n| --- | --- | --- | --- | --- |\n${row}\n`)
  assert.deepEqual([...read], [[mutantKey({ ...mutant, text: "if (a || b) put_page(page, 'pte')" }), 'nobody else can see it']])
})

test('the summary has a score a file, flags files without a kill, and survivors that nobody explained', () => {
  const [one, two] = made(SOURCE)
  const killed = { mutant: one, outcome: { status: 'killed', by: { scenario: 's', kernel: 'k' }, how: 'fails: x' } } as const
  const lived = { mutant: two, outcome: { status: 'survived', tried: 3, open: 0 } } as const
  const open = summarise([killed, lived], new Map(), false)
  assert.match(open.text, /kernel\/mm\/a\.ts +50% +1 +1 +0 +0/)
  assert.match(open.text, /kernel\/mm\/a\.ts:4 f: swap with next: page\._mapcount -= 1\n +NOT EXPLAINED \(3 searches tell nothing\)/)
  assert.ok(!open.ok)
  const explained = summarise([killed, lived], new Map([[mutantKey(two), 'no one looks']]), false)
  assert.match(explained.text, /no one looks/)
  assert.ok(explained.ok)
  assert.match(summarise([lived], new Map([[mutantKey(two), 'x']]), false).text, /no mutant of these files was killed: kernel\/mm\/a\.ts/)
  assert.match(summarise([killed], new Map([[mutantKey(one), 'x']]), false).text, /explains what no longer survives/)
})

test('a put left out of the model is noticed; one that a scenario never makes is not; a mutant that is no model is refused', async () => {
  const laboratory = new Laboratory()
  const budget = { seconds: 60, maxStates: 50_000 }
  const baselines = ['v5.10', 'v7.3'].map((kernel) => laboratory.baseline({ scenario: 'truncate-against-gup', kernel }))
  const mutants = allMutants().filter(({ file }) => file === 'kernel/mm/gup.ts')
  const of = (name: string, operator: string): Mutant => {
    const found = mutants.find((mutant) => mutant.operator === operator && mutant.function === name)
    assert.ok(found, `${operator} in ${name}`)
    return found
  }
  const containing = (mutant: Mutant): Baseline[] =>
    baselines.filter(({ statements }) => mutant.starts.some((start) => statements.includes(`${mutant.file}:${start}`)))
  const put = of('put_user_page', 'delete')
  const killed = await laboratory.judge(put, containing(put), budget)
  assert.equal(killed.status, 'killed')
  // A scenario without pins has nothing to tell this one by.
  const other = of('gup_put_folio', 'delete')
  const lived = await laboratory.judge(other, containing(other), budget)
  assert.ok(lived.status === 'survived' || lived.status === 'unreached', lived.status)
  assert.equal((await laboratory.judge(put, [], budget)).status, 'unreached')
  const broken = { ...put, edits: [{ ...put.edits[0], text: 'put_page(nothing_of_that_name)' }] }
  assert.equal((await laboratory.judge(broken, containing(put), budget)).status, 'refused')
})
