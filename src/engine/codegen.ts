/** Generates the code of a program: `expand(count)` over a workspace. */
import type { CheckId, Expr, Program } from '../ir/program.ts'
import { addWord } from './hash.ts'
import { type Layout, lowMask } from './layout.ts'
import { bin, type Command, get, type MachineFunction, type MachineModule, not, num, set, type Value, when } from './machine.ts'
import { lower, readSlot } from './packed-access.ts'
import { fanOut, generateTransition } from './transition.ts'
import { planWorkspace, type Workspace } from './workspace.ts'

export interface GeneratedCode {
  readonly module: MachineModule<'expand'>
  readonly workspace: Workspace
}

/**
 * Generates `expand(count)`: takes `count` packed states at `workspace.source`, writes the records of all their transitions
 * (threads in order, choices upwards) to `workspace.out`, and returns the place after the last one. On the way it notes
 * failed checks, states that satisfy a `sometimes`, paths ended, and sources that cannot move; with `coverage` also the nodes executed.
 */
export function generate(program: Program, layout: Layout, coverage = false): GeneratedCode {
  let most = 0
  layout.threads.forEach((plan, t) => {
    most += Math.max(...plan.counters.map((node) => fanOut(program, t, node)))
  })
  const workspace = planWorkspace(program, layout, most, coverage)
  const functions: MachineFunction[] = []
  layout.threads.forEach((plan, t) => {
    plan.counters.forEach((_, pc) => {
      functions.push(generateTransition(program, layout, workspace, t, pc, `t${t}_${pc}`))
    })
    functions.push(dispatcher(layout, t))
  })
  functions.push(inspector(program, layout, workspace), expander(layout, workspace))
  return { module: { functions, exports: ['expand'] }, workspace }
}

function dispatcher(layout: Layout, t: number): MachineFunction {
  const plan = layout.threads[t]
  const call = (pc: number): Command[] => [{ k: 'return', value: { k: 'call', to: `t${t}_${pc}`, args: [get(0), get(1), get(2)] } }]
  const cases = [...plan.counters.map((_, pc) => call(pc)), [{ k: 'return', value: get(1) } as Command]]
  const on = readSlot({ k: 'word', at: get(0), offset: plan.pc.word }, plan.pc)
  return { name: `thread${t}`, params: 3, vars: 3, body: [{ k: 'switch', on, cases }] }
}

/** `inspect(source)`: judges the properties of a state; returns 1 if all its threads have ended. */
function inspector(program: Program, layout: Layout, workspace: Workspace): MachineFunction {
  const words = Array.from({ length: layout.words }, (_, w) => 1 + w)
  let vars = 1 + words.length
  const frame = {
    layout,
    words,
    fresh: () => vars++,
    local: (): number => {
      throw new Error('[putpage internal bug] a property reads a local')
    },
  }
  const mark = (at: number, i: number): Command => ({ k: 'store', at: num(at), offset: i, value: num(1) })
  const fail = (check: CheckId): Command[] => [mark(workspace.violated, check), mark(workspace.alarm, 0)]
  const holds = (expr: Expr): Value => lower(expr, frame)
  const { always, finally: atEnd, eventually, sometimes } = program.properties
  const body: Command[] = words.map((v, w) => set(v, { k: 'word', at: get(0), offset: w }))
  for (const property of always) body.push(...when(not(holds(property.cond)), fail(property.check)))
  sometimes.forEach((property, i) => {
    body.push(...when(holds(property.cond), [mark(workspace.sometimes, i)]))
  })
  // All program counters of a word are compared at once.
  const masks = words.map(() => 0)
  const done = words.map(() => 0)
  for (const { pc, counters } of layout.threads) {
    masks[pc.word] |= lowMask(pc.bits) << pc.shift
    done[pc.word] |= counters.length << pc.shift
  }
  words.forEach((v, w) => {
    if (masks[w] !== 0) body.push(...when(bin('!=', bin('&', get(v), num(masks[w])), num(done[w])), [{ k: 'return', value: num(0) }]))
  })
  for (const property of atEnd) body.push(...when(not(holds(property.cond)), fail(property.check)))
  for (const property of eventually) {
    const seen = holds({ e: 'load', place: { column: property.seen, index: { e: 'const', value: 0 } } })
    body.push(...when(not(seen), fail(property.check)))
  }
  return { name: 'inspect', params: 1, vars, body: [...body, { k: 'return', value: num(1) }] }
}

function expander(layout: Layout, workspace: Workspace): MachineFunction {
  const [count, source, out, before, ended, done, i, hung, sum, scratch] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  const word = (at: number): Value => ({ k: 'word', at: num(at), offset: 0 })
  const quiet = bin('&', bin('&', bin('==', get(out), get(before)), bin('==', word(workspace.fatal), get(ended))), not(get(done)))
  const body: Command[] = [
    set(before, get(out)),
    set(ended, word(workspace.fatal)),
    set(done, { k: 'call', to: 'inspect', args: [get(source)] }),
    set(sum, num(0)),
    ...Array.from({ length: layout.words }, (_, w) => addWord({ k: 'word', at: get(source), offset: w }, w, sum, scratch)).flat(),
    ...layout.threads.map((_, t) => set(out, { k: 'call', to: `thread${t}`, args: [get(source), get(out), get(sum)] })),
    ...when(quiet, [
      set(hung, word(workspace.hung)),
      { k: 'store', at: bin('+', get(hung), num(workspace.hung)), offset: 1, value: get(i) },
      { k: 'store', at: num(workspace.hung), offset: 0, value: bin('+', get(hung), num(1)) },
    ]),
    set(i, bin('+', get(i), num(1))),
    set(source, bin('+', get(source), num(layout.words))),
    ...when(bin('<', get(i), get(count)), [{ k: 'again', label: 0 }]),
  ]
  return {
    name: 'expand',
    params: 1,
    vars: 10,
    body: [
      set(source, num(workspace.source)),
      set(out, num(workspace.out)),
      ...when(bin('<', num(0), get(count)), [{ k: 'loop', label: 0, body }]),
      { k: 'return', value: get(out) },
    ],
  }
}
