import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toDot } from '../../src/export/dot.ts'
import { toItf } from '../../src/export/itf.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import { bin, cell, check, column, guard, int, load, not, program, thread } from './programs.ts'

/** Adds a pin, publishes the page, and marks it freed; the other waits for it and then must not find it freed. */
function model() {
  const pinner = thread(
    'pinner',
    [],
    [
      { op: 'store', places: [cell(0)], values: [bin('+', load(0), int(16))], access: true },
      { op: 'store', places: [cell(1), cell(3)], values: [int(2), int(1)], access: true },
      { op: 'store', places: [cell(2)], values: [int(1)], access: true },
      { op: 'end' },
    ],
  )
  const user = thread('user', [], [{ op: 'step', guard: guard(load(1)) }, { op: 'check', check: 0, fails: load(2) }, { op: 'end' }])
  return program(
    [
      column('_refcount', [1], [0, 255], { display: { kind: 'count', bias: 16 } }),
      column('owner', [0], [0, 2], { display: { kind: 'ref', objects: ['dev', 'fs "x"'] } }),
      column('freed', [0], [0, 1], { display: { kind: 'bool' } }),
      column('state', [0], [0, 1], { display: { kind: 'enum', members: ['idle', 'mapped'] } }),
    ],
    [pinner, user],
    [check('use-after-free', true)],
  )
}

test('itf: cells by name, values by display, positions of threads', () => {
  const { initial, successors } = interpret(model())
  const states = [initial()]
  for (let i = 0; i < 2; i++) states.push(successors(states[i])[0].to as Int32Array)
  const trace = toItf(model(), { states, steps: ['pin', 'publish', 'use'], loop: 1 })
  assert.deepEqual(trace.vars, ['page._refcount', 'page.owner', 'page.freed', 'page.state', 'thread pinner', 'thread user'])
  assert.deepEqual(trace.states[0], {
    '#meta': { index: 0 },
    'page._refcount': { '#bigint': '1' },
    'page.owner': 'NULL',
    'page.freed': false,
    'page.state': 'idle',
    'thread pinner': 'pinner test.ts:1',
    'thread user': 'user test.ts:1',
  })
  assert.deepEqual(trace.states[2], {
    '#meta': { index: 2, step: 'publish' },
    'page._refcount': { '#bigint': '1025' },
    'page.owner': 'fs "x"',
    'page.freed': false,
    'page.state': 'mapped',
    'thread pinner': 'pinner test.ts:3',
    'thread user': 'user test.ts:1',
  })
  assert.equal(trace.loop, 1)
  assert.equal(trace['#meta']['last-step'], 'use', 'a fatal check ended the path: the last step leads nowhere')
  assert.equal(JSON.stringify(JSON.parse(JSON.stringify(trace))), JSON.stringify(trace))
})

test('dot: every state and step once, ends and hangs marked', () => {
  const dot = toDot(model())
  // Initial, pinned, published; then freed or used first; then all ended. Used after freed is no state.
  assert.equal(dot.match(/^ {2}s\d+ \[/gm)?.length, 6)
  assert.match(dot, /octagon, color=red, label="use-after-free:test"/)
  assert.match(dot, /page\._refcount = 1025\\l/)
  assert.match(dot, /page\.owner = fs \\"x\\"\\l/)
  assert.match(dot, /s0 -> s1 \[label="pinner: store pinner"\]/)
  assert.ok(!dot.includes('cut at') && !dot.includes('nothing can move'))
  const stuck = program([column('go', [0])], [thread('waiter', [], [{ op: 'step', guard: guard(not(not(load(0)))) }, { op: 'end' }])])
  assert.match(toDot(stuck), /s0 \[label="initial\\lnothing can move\\l", color=red\]/)
})

test('dot: a limit cuts the graph and says so', () => {
  const dot = toDot(model(), { limit: 3 })
  assert.equal(dot.match(/^ {2}s\d+ \[/gm)?.length, 3)
  assert.match(dot, /cut at 3 states: 2 steps to other states are not shown/)
})
