// The lattice of sets against its definition, by trying every order and every subset.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lattice, members, minimalRepairs } from '../../src/order/lattice.ts'

const SIZE = 5
const FULL = 2 ** SIZE - 1
const safeSets = fc.uniqueArray(fc.integer({ min: 1, max: FULL }), { maxLength: FULL }).map((sets) => new Set([0, ...sets]))

function permutations(of: readonly number[]): number[][] {
  return of.length === 0 ? [[]] : of.flatMap((one, i) => permutations([...of.slice(0, i), ...of.slice(i + 1)]).map((rest) => [one, ...rest]))
}

const isSubset = (a: number, b: number): boolean => (a & b) === a

test('orders, first movers and minimal unsafe sets are those of the definition', () => {
  const orders = permutations([0, 1, 2, 3, 4])
  fc.assert(
    fc.property(safeSets, (safe) => {
      const found = lattice(SIZE, (set) => safe.has(set))
      const keepsSafe = (order: readonly number[]): boolean => order.every((_, i) => safe.has(order.slice(0, i + 1).reduce((set, one) => set | (1 << one), 0)))
      assert.equal(found.orders, orders.filter(keepsSafe).length)
      assert.deepEqual(
        found.firstMovers,
        [0, 1, 2, 3, 4].filter((i) => safe.has(1 << i)),
      )
      const unsafe = Array.from({ length: FULL + 1 }, (_, set) => set).filter((set) => !safe.has(set))
      const minimal = unsafe.filter((set) => !unsafe.some((other) => other !== set && isSubset(other, set)))
      assert.deepEqual(
        [...found.minimalUnsafe].sort((a, b) => a - b),
        minimal,
      )
      for (const set of unsafe) {
        const supersets = [...safe].filter((other) => other !== set && isSubset(set, other))
        const repairs = supersets.filter((one) => !supersets.some((other) => other !== one && isSubset(other, one)))
        assert.deepEqual(
          [...minimalRepairs(set, FULL, (other) => safe.has(other))].sort((a, b) => a - b),
          repairs.sort((a, b) => a - b),
        )
      }
    }),
    { numRuns: 500 },
  )
})

test('a group that must land together can land as a whole, and nobody in it alone', () => {
  let groups = 0
  fc.assert(
    fc.property(safeSets, (safe) => {
      const found = lattice(SIZE, (set) => safe.has(set))
      const steps = found.oneOrder ?? []
      assert.equal(found.oneOrder !== undefined, found.reachableWithGroups.has(FULL))
      assert.equal(found.ordersWithGroups > 0, found.oneOrder !== undefined)
      steps.forEach((step, i) => {
        const before = steps.slice(0, i).reduce((set, one) => set | one, 0)
        assert.ok((before & step) === 0 && safe.has(before | step))
        assert.ok(members(step).length === 1 || found.groups.some((group) => group.members === step))
      })
      if (found.oneOrder)
        assert.equal(
          steps.reduce((set, one) => set | one, 0),
          FULL,
        )
      if (found.orders > 0) assert.ok(steps.every((step) => members(step).length === 1))
      const reached = new Set(found.reachable)
      for (const { members: group, onto } of found.groups) {
        groups++
        assert.ok(safe.has(onto | group) && (onto & group) === 0 && members(group).length > 1)
        for (const set of reached) for (const one of members(group)) assert.ok((set & (1 << one)) !== 0 || !safe.has(set | (1 << one)))
      }
      assert.ok([...found.reachable].every((set) => found.reachableWithGroups.has(set)))
    }),
    { numRuns: 500 },
  )
  assert.ok(groups > 20)
})

test('what decides nothing is free: whatever else has landed, with it it is as safe as without', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }), (verdicts) => {
      const isSafe = (set: number): boolean => set === 0 || verdicts[set]
      const { free } = lattice(4, isSafe)
      for (let i = 0; i < 4; i++) {
        const decides = verdicts.some((_, set) => isSafe(set) !== isSafe(set ^ (1 << i)))
        assert.equal(free.includes(i), !decides)
      }
    }),
  )
  assert.deepEqual(lattice(3, (set) => (set & 2) === 0 || (set & 1) !== 0).free, [2])
})
