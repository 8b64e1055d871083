// Which put pays back which get, and how sure that is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Get, Pairing, type Put } from '../../src/report/pairing.ts'

const get = (event: number, more: Partial<Get> = {}): Get => ({
  class: 'other',
  function: 'get',
  pid: 1,
  amount: 1,
  time: event,
  event,
  site: 10,
  blamed: false,
  ...more,
})
const put = (event: number, more: Partial<Put> = {}): Put => ({ amount: 1, time: event, event, pid: 1, site: 20, zap: false, ...more })
const never = (): number => 0
const told = (pairing: Pairing): string[] =>
  [...pairing.references].sort((a, b) => a.get - b.get).map((one) => `${one.get} by ${one.put} ${one.sure ?? '-'}${one.to === null ? ' held' : ''}`)

test('the only open reference is the one that is paid back', () => {
  const pairing = new Pairing(never)
  pairing.take(get(0))
  pairing.give(put(1))
  pairing.take(get(2))
  pairing.forget(null)
  assert.deepEqual(told(pairing), ['0 by 1 only', '2 by null - held'])
})

test('with references from before, the only open one need not be meant', () => {
  const pairing = new Pairing(never)
  pairing.above(1)
  pairing.take(get(0))
  pairing.give(put(1))
  assert.deepEqual(told(pairing), ['0 by 1 guess'])
})

test('a task gives back its own; alike ones are a guess, and the youngest is taken', () => {
  const pairing = new Pairing(never)
  pairing.take(get(0, { pid: 1 }))
  pairing.take(get(1, { pid: 2 }))
  pairing.take(get(2, { pid: 2 }))
  pairing.give(put(3, { pid: 1 }))
  pairing.give(put(4, { pid: 2 }))
  pairing.give(put(5, { pid: 2 }))
  assert.deepEqual(told(pairing), ['0 by 3 likely', '1 by 5 only', '2 by 4 guess'])
})

test('what was seen where there was no choice decides, whatever the age and the task', () => {
  const pairing = new Pairing((put, get) => (put === 20 && get === 11 ? 7 : 0))
  pairing.take(get(0, { site: 11, pid: 2 }))
  pairing.take(get(1, { site: 12, pid: 1 }))
  pairing.give(put(2, { pid: 1 }))
  assert.deepEqual(told(pairing), ['0 by 2 likely'])
})

test('a pin in two steps is one reference, paid back as one', () => {
  const pairing = new Pairing(never)
  pairing.take(get(0, { class: 'page-table entry' }))
  pairing.take(get(1))
  pairing.take(get(2, { amount: 1023, class: 'GUP pin' }))
  pairing.give(put(3, { amount: 1024 }))
  pairing.forget(9)
  assert.deepEqual(told(pairing), ['0 by null -', '1 by 3 likely'])
  assert.equal(pairing.references[0].amount, 1024)
  assert.equal(pairing.references[0].class, 'GUP pin')
})

test('a blamed get is not paid back while another is open', () => {
  const pairing = new Pairing(never)
  pairing.take(get(0))
  pairing.take(get(1, { blamed: true }))
  pairing.give(put(2))
  pairing.forget(null)
  assert.deepEqual(told(pairing), ['0 by 2 likely', '1 by null - held'])
})
