// The tool that makes mistakes in the model: what it changes, and that it tells a mistake that matters from one that does not.
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import ts = require('typescript')

import { Agenda } from './agenda.ts'
import { explanationRow, readExplanations } from './explanations.ts'
import { Laboratory } from './laboratory.ts'
import { allMutants, readText } from './model-files.ts'
import { type Mutant, mutantKey, mutantsOf } from './operators.ts'
import { difference } from './quick-verdict.ts'
import { summarise } from './report.ts'
import { ResultStore } from './store.ts'
import { weave } from './weave.ts'

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

test('all mistakes are woven into the source, each behind its switch', () => {
  const mutants = made(SOURCE).map((mutant, nth) => ({ name: `m${nth}`, mutant }))
  const woven = (...of: readonly number[]): string[] =>
    weave(
      'kernel/mm/a.ts',
      SOURCE,
      of.map((nth) => mutants[nth]),
    )
      .split('\n')
      .map((line) => line.trim())
  assert.equal(woven(4)[2], '{ if (!mutant.m4) { spin_lock(page.lock) }; }')
  assert.equal(woven(6)[3], '{ if (mutant.m6) { page._mapcount += 1 } if (!mutant.m6) { page._mapcount -= 1 }; }')
  assert.equal(
    woven(8)[0],
    "import { mutant } from '../mutants.ts'; import { get_page } from '../include/linux/mm.ts'; import { put_page, wake_up_var } from './mm.ts'",
  )
  assert.equal(woven(8)[4], "{ if (mutant.m8) { get_page(page, 'pte') } if (!mutant.m8) { put_page(page, 'pte') }; }")
  assert.equal(woven(11)[9], '{ if (mutant.m11) { lock_page(page) } if (!mutant.m11) { if (!trylock_page(page)) return }; }')
  assert.equal(woven(12)[9], 'if (!(mutant.m12 || trylock_page(page))) return')
  // What changes places is the smaller of the two: it stands before, and is left out where it was.
  assert.deepEqual(woven(0, 4).slice(2, 4), [
    '{ if (mutant.m0) { page._mapcount -= 1 } if (!mutant.m4) { spin_lock(page.lock) }; }',
    '{ if (!mutant.m0) { page._mapcount -= 1 }; }',
  ])
  assert.equal(weave('kernel/mm/a.ts', SOURCE, []), SOURCE)
})

test('the source with all mistakes in it is still TypeScript', () => {
  const mutants = allMutants()
  for (const file of new Set(mutants.map((mutant) => mutant.file))) {
    const named = mutants.flatMap((mutant, nth) => (mutant.file === file ? [{ name: `m${nth}`, mutant }] : []))
    const woven = ts.transpileModule(weave(file, readText(file), named), { reportDiagnostics: true, compilerOptions: { target: ts.ScriptTarget.ES2022 } })
    assert.deepEqual(
      woven.diagnostics?.map(({ messageText }) => messageText),
      [],
      file,
    )
  }
})

test('a statement that uses a variable does not change places with what declares it', () => {
  const operators = made('function f(): void {\n  const page = find()\n  lock_page(page)\n  const x = 1\n  unlock_page(y)\n}\n').map(
    ({ line, operator }) => `${line} ${operator}`,
  )
  assert.deepEqual(operators, ['3 swap with next', '4 swap with next', '3 delete', '5 delete'])
})

test('a verdict changes by what fails, what no longer does, and what never happens; a limit hides what is missing', () => {
  const verdict = (failed: readonly string[], never: readonly string[] = [], complete = true) => ({ failed, never, complete, states: 1, inputsRead: [] })
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
  const killed = { mutant: one, fate: 'killed', how: 's k: fails: x' } as const
  const lived = { mutant: two, fate: 'survived', how: '3 searches tell nothing' } as const
  const open = summarise([killed, lived], new Map(), false)
  assert.match(open.text, /kernel\/mm\/a\.ts +50% +1 +1 +0 +0 +0 +0/)
  assert.match(open.text, /kernel\/mm\/a\.ts:4 f: swap with next: page\._mapcount -= 1\n +NOT EXPLAINED \(3 searches tell nothing\)/)
  assert.ok(!open.ok)
  const explained = summarise([killed, lived], new Map([[mutantKey(two), 'no one looks']]), false)
  assert.match(explained.text, /no one looks/)
  assert.ok(explained.ok)
  assert.match(summarise([lived], new Map([[mutantKey(two), 'x']]), false).text, /no mutant of these files was killed: kernel\/mm\/a\.ts/)
  assert.match(summarise([killed], new Map([[mutantKey(one), 'x']]), false).text, /explains what no longer survives/)
})

test('what killed a mutant before is asked first; then the scenarios of its file, one kernel after the other; what is decided is not asked', () => {
  const target = (scenario: string, kernel: string) => ({ scenario, kernel })
  const targets = [target('b', 'v7.3'), target('a', 'v7.3'), target('a', 'v5.10'), target('c', 'v7.3')]
  const decided = new Set<number>()
  const one = (nth: number, file: string, killer?: string) => ({ nth, file, killer, decided: () => decided.has(nth), asked: () => false })
  const imports = (scenario: string) => ({ direct: new Set(scenario === 'a' ? ['x'] : []), all: new Set(scenario === 'c' ? ['z'] : ['x', 'y']) })
  const agenda = new Agenda(targets, [one(0, 'x'), one(1, 'y', 'b v7.3')], imports)
  const asked: string[] = []
  for (let next = agenda.next(); next; next = agenda.next()) {
    asked.push(`${next.target.scenario} ${next.target.kernel}: ${next.mutants}`)
    if (next.target.scenario === 'a' && next.target.kernel === 'v7.3') decided.add(1)
  }
  assert.deepEqual(asked, ['b v7.3: 1', 'a v7.3: 0,1', 'b v7.3: 0', 'a v5.10: 0'])
})

test('a run goes on where another was ended; what a scenario said that has changed since is forgotten', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'mutants-')), 'results.json')
  const [a, b] = ['a', 'b'].map((scenario) => ({ scenario, kernel: 'k' }))
  const first = new ResultStore(
    '1',
    new Map([
      ['a', 'x'],
      ['b', 'x'],
    ]),
    path,
  )
  first.note('one', a, { says: 'same' })
  first.note('one', b, { says: 'killed', how: 'fails: x' })
  first.save()
  const again = new ResultStore(
    '1',
    new Map([
      ['a', 'x'],
      ['b', 'x'],
    ]),
    path,
  ).of('one')
  assert.deepEqual([[...again.asked], again.killed?.by], [['a k', 'b k'], 'b k'])
  const other = new ResultStore(
    '1',
    new Map([
      ['a', 'x'],
      ['b', 'y'],
    ]),
    path,
  )
  assert.deepEqual([[...other.of('one').asked], other.of('one').killed], [['a k'], undefined])
  assert.equal(other.killers.get('one'), 'b k')
  assert.deepEqual(
    [
      ...new ResultStore(
        '2',
        new Map([
          ['a', 'x'],
          ['b', 'x'],
        ]),
        path,
      ).of('one').asked,
    ],
    [],
  )
})

test('many mutants in one program say what each says in a program of its own; a put left out is noticed', async () => {
  const mutants = allMutants()
  const gup = mutants.flatMap(({ file, operator }, nth) => (file === 'kernel/mm/gup.ts' && operator !== 'swap with next' ? [nth] : []))
  const laboratory = new Laboratory(mutants, 50_000, gup)
  const target = { scenario: 'truncate-against-gup', kernel: 'v7.3' }
  const words = await laboratory.ask(target, gup)
  const of = (name: string): number => gup.find((nth) => mutants[nth].function === name && mutants[nth].operator === 'delete') as number
  assert.equal(words.get(of('put_user_page'))?.says, 'killed')
  // A scenario without pins has nothing to tell this one by.
  assert.equal(words.get(of('gup_put_folio'))?.says, 'not in it')
  const contained = gup.filter((nth) => words.get(nth)?.says !== 'not in it')
  assert.deepEqual(contained, laboratory.contained(target))
  for (const nth of contained.slice(0, 6)) {
    const alone = await laboratory.askAlone(target, nth)
    const said = words.get(nth)
    assert.deepEqual(said?.says === 'never there' ? { says: 'same' } : said, alone, mutantKey(mutants[nth]))
  }
})

test('a mutant that is no model is refused, and the others of its program are judged', async () => {
  const mutants = allMutants()
  const put = mutants.findIndex(({ file, function: name, operator }) => file === 'kernel/mm/gup.ts' && name === 'put_user_page' && operator === 'delete')
  const { start, end } = mutants[put].edits[0]
  const broken = { ...mutants[put], edits: [{ start, end, how: 'before', text: 'put_page(nothing_of_that_name)' } as const] }
  const laboratory = new Laboratory([...mutants, broken], 50_000, [put, mutants.length])
  const words = await laboratory.ask({ scenario: 'truncate-against-gup', kernel: 'v7.3' }, [put, mutants.length])
  assert.deepEqual([words.get(put)?.says, words.get(mutants.length)?.says], ['killed', 'refused'])
})
