import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTrace } from '../../src/report/describe.ts'
import { failuresOf, type Run } from '../../src/report/run.ts'
import { turnsOf } from '../../src/report/turns.ts'
import { shownValue } from '../../src/report/values.ts'
import { lostWakeRun, warnRun } from './models.ts'

const told = (run: Run) => describeTrace(run.exploration.program, failuresOf(run)[0].counterexample)

test('a step is named by its access, with the call stack innermost first', () => {
  const { at, threadName } = told(lostWakeRun).steps[0]
  assert.equal(threadName, 'dio')
  assert.deepEqual([at.function, at.file, at.line], ['try_grab_folio', 'kernel/mm/gup.ts', 132])
  assert.deepEqual(
    at.stack.map((frame) => frame.function),
    ['try_grab_folio', 'iov_iter_get_pages2', 'dio_read'],
  )
})

test('the ledger is kept apart from what the kernel has', () => {
  const [first] = told(lostWakeRun).steps
  assert.deepEqual(first.changes, [{ what: 'page._refcount', from: 1, to: 1025, said: '_refcount 1 → 1025' }])
  assert.deepEqual(
    first.ghost.map(({ what, to }) => [what, to]),
    [['page.held.gup_pin', 1]],
  )
})

test('locks are taken and released by name', () => {
  const { steps } = told(lostWakeRun)
  assert.equal(steps[1].changes[0].said, 'takes inode.mmap_lock')
  assert.equal(steps[7].changes[0].said, 'releases inode.mmap_lock')
  assert.equal(steps[7].waits, '___wait_var_event(&page->_refcount)')
})

test('a failed check is told at its own line', () => {
  const last = told(warnRun).steps[3]
  assert.deepEqual(
    last.moments.map(({ at, violations }) => [at.line, violations.length]),
    [
      [1192, 0],
      [1193, 1],
    ],
  )
})

test('reads are folded unless they come last in a turn', () => {
  const [, truncate] = turnsOf(told(lostWakeRun))
  assert.deepEqual(
    truncate.items.map((item) => ('folded' in item ? `${item.folded} folded` : item.number)),
    [2, '3 folded', 6, 7, 8],
  )
})

test('a hang says where each thread waits', () => {
  const [wait] = told(lostWakeRun).hang
  assert.equal(wait.at.function, '___wait_var_event')
  assert.equal(wait.condition, true)
})

test('values are shown as the kernel would', () => {
  const count = { kind: 'count', bias: 8 } as const
  assert.deepEqual(
    [0, 7, 8, 17, -1].map((value) => shownValue(count, value, [])),
    [0, 7, 1024, 2049, -1],
  )
  assert.equal(shownValue({ kind: 'enum', members: ['none', 'device'] }, 1, []), 'device')
  assert.equal(shownValue({ kind: 'ref', objects: ['page0'] }, 1, []), 'page0')
  assert.equal(shownValue({ kind: 'ref', objects: ['page0'] }, 0, []), null)
  assert.equal(shownValue({ kind: 'thread' }, 2, ['a', 'b']), 'b')
})
