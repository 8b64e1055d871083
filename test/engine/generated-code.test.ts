import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Backend } from '../../src/engine/compiled.ts'
import { fuse } from '../../src/engine/fuse.ts'
import { layOut, pack, unpack } from '../../src/engine/layout.ts'
import { compile, Runner } from '../../src/engine/runner.ts'
import { FAILED, FLAG_BITS, PROGRESS } from '../../src/engine/workspace.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Program } from '../../src/ir/program.ts'
import { DONE } from '../../src/ir/state.ts'
import { randomProgram } from './random-program.ts'

const MOST_STATES = 300

/** Compares generated code and interpreter on every successor of the first reachable states. */
function compare(program: Program, backend: Backend): void {
  const interpreter = interpret(program)
  const layout = layOut(program)
  const runner = new Runner(compile(program, layout, backend))
  const { memory, workspace } = runner
  const known = new Set<string>()
  const pending = [interpreter.initial()]
  while (pending.length > 0 && known.size < MOST_STATES) {
    const state = pending.pop() as Int32Array
    if (known.has(state.join())) continue
    known.add(state.join())
    pack(layout, state, memory, workspace.source)
    assert.deepEqual(unpack(layout, memory, workspace.source), state, 'packing is exact')
    runner.clearFindings()
    const end = runner.run(1)
    const expected = interpreter.successors(state)
    const made: { thread: number; progress: boolean; failed: boolean; to: Int32Array }[] = []
    for (let at = workspace.out; at < end; at += workspace.record) {
      const meta = memory[at + layout.words + 1]
      made.push({ thread: meta >> FLAG_BITS, progress: (meta & PROGRESS) !== 0, failed: (meta & FAILED) !== 0, to: unpack(layout, memory, at) })
    }
    assert.deepEqual(
      made,
      expected.flatMap(({ thread, progress, failed, to }) => (to ? [{ thread, progress, failed, to }] : [])),
    )
    assert.equal(runner.fatal, expected.filter((one) => one.to === null).length)
    const violated = new Set([...expected.flatMap((one) => one.violations), ...interpreter.stateViolations(state)])
    assert.deepEqual(
      program.checks.flatMap((_, c) => (runner.violated(c) ? [c] : [])),
      [...violated].sort((a, b) => a - b),
    )
    const ended = program.threads.every((_, t) => state[interpreter.shape.threadBase[t]] === DONE)
    assert.equal(runner.hungCount, Number(expected.length === 0 && !ended))
    for (const one of expected) if (one.to) pending.push(one.to)
  }
}

for (const backend of ['js', 'wasm', 'interpreter'] as const) {
  test(`records by ${backend} agree with the interpreter`, () => {
    fc.assert(
      fc.property(randomProgram, (program) => compare(program, backend)),
      { numRuns: 150 },
    )
  })
  test(`records by ${backend} agree with the interpreter at grain lock`, () => {
    fc.assert(
      fc.property(randomProgram, (program) => compare(fuse(program), backend)),
      { numRuns: 100 },
    )
  })
}
