/** Generates the code of one thread's transitions from one program counter. */
import type { LocalId, Node, NodeId, Program } from '../ir/program.ts'
import { addWord, finishHash } from './hash.ts'
import type { Layout } from './layout.ts'
import { bin, type Command, get, type MachineFunction, not, num, set, type Value, type Var, when } from './machine.ts'
import { type Frame, lower, readCell, readSlot, slotBits, writeCell } from './packed-access.ts'
import { collectRegion, type Region } from './region.ts'
import { FAILED, FLAG_BITS, PROGRESS, type Workspace } from './workspace.ts'

/** The function's parameters: where the source is, where the next record goes (it returns where the one after goes), and the sum of the source's hash. */
const SOURCE: Var = 0
const OUT: Var = 1
const SUM: Var = 2

/**
 * Gives the function `name(source, out, sum)` that writes a record for each transition of a thread standing at
 * `layout.threads[thread].counters[pc]`, in the order of the choices, and returns the place after the last one.
 */
export function generateTransition(program: Program, layout: Layout, workspace: Workspace, thread: number, pc: number, name: string): MachineFunction {
  return new Generator(program, layout, workspace, thread).run(pc, name)
}

/** Most records that one call of the generated function can write. */
export function fanOut(program: Program, thread: number, start: NodeId): number {
  const graph = program.threads[thread]
  // The choices inside which the region stands: one met again would be a loop without an access.
  const around = new Set<string>()
  const ofChoice = (at: Extract<Node, { op: 'choose' }>, node: NodeId, accessed: boolean): number => {
    const key = `${node}.${accessed}`
    if (around.has(key)) throw new Error(`[putpage internal bug] a step of ${graph.name} at ${at.at.file}:${at.at.line} does not end`)
    around.add(key)
    const most = at.count * ofRegion(collectRegion(graph, at.next, accessed, false))
    around.delete(key)
    return most
  }
  const ofRegion = (region: Region): number => {
    const most: number[] = []
    for (let v = region.vertices.length - 1; v >= 0; v--) {
      const { node, accessed, stop, next } = region.vertices[v]
      const at = graph.nodes[node]
      if (stop || at.op === 'end') most[v] = 1
      else if (at.op === 'choose') most[v] = ofChoice(at, node, accessed)
      else most[v] = Math.max(...next.map((n) => most[n]))
    }
    return most[0]
  }
  return ofRegion(collectRegion(graph, start, false, true))
}

class Generator {
  private readonly program: Program
  private readonly layout: Layout
  private readonly workspace: Workspace
  private readonly thread: number
  private vars = 3
  private labels = 0
  private readonly words: Var[]
  private readonly flags: Var
  private readonly hash: Var
  private readonly scratch: Var
  /** Words that a transition from here can change. */
  private dirty: ReadonlySet<number> = new Set()
  private readonly locals = new Map<LocalId, Var>()
  private readonly frame: Frame

  constructor(program: Program, layout: Layout, workspace: Workspace, thread: number) {
    this.program = program
    this.layout = layout
    this.workspace = workspace
    this.thread = thread
    this.words = Array.from({ length: layout.words }, () => this.vars++)
    this.flags = this.vars++
    this.hash = this.vars++
    this.scratch = this.vars++
    this.frame = { layout, words: this.words, local: (id) => this.local(id), fresh: () => this.vars++ }
  }

  run(pc: number, name: string): MachineFunction {
    const plan = this.layout.threads[this.thread]
    const start = plan.counters[pc]
    this.dirty = this.changeable(start)
    const body: Command[] = [set(this.flags, num(0))]
    this.words.forEach((word, w) => {
      body.push(set(word, { k: 'word', at: get(SOURCE), offset: w }))
    })
    for (const id of plan.live[pc]) {
      const slot = plan.locals[id]
      if (slot) body.push(set(this.local(id), readSlot(get(this.words[slot.word]), slot)))
    }
    const finished = this.labels++
    const region = collectRegion(this.program.threads[this.thread], start, false, true)
    body.push({ k: 'block', label: finished, body: this.region(region, finished) })
    body.push({ k: 'return', value: get(OUT) })
    return { name, params: 3, vars: this.vars, body }
  }

  private local(id: LocalId): Var {
    let found = this.locals.get(id)
    if (found === undefined) {
      found = this.vars++
      this.locals.set(id, found)
    }
    return found
  }

  /** Code of a region; every path through it leaves `finished`. */
  private region(region: Region, finished: number): Command[] {
    const labels = new Map<number, number>()
    for (const join of region.joins) labels.set(join, this.labels++)

    // A vertex together with the joins it dominates: these follow it, each at the end of a block that leads to it.
    const tree = (root: number): Command[] => {
      const owned = region.owned[root]
      let code = this.straight(region, root, finished, branch)
      for (const join of owned) code = [{ k: 'block', label: labels.get(join) as number, body: code }, ...tree(join)]
      return code
    }
    const branch = (to: number): Command[] => {
      const label = labels.get(to)
      return label === undefined ? tree(to) : [{ k: 'leave', label }]
    }
    return tree(0)
  }

  private straight(region: Region, v: number, finished: number, branch: (to: number) => Command[]): Command[] {
    const vertex = region.vertices[v]
    const node = this.program.threads[this.thread].nodes[vertex.node]
    if (vertex.stop) return [...this.push(vertex.node), { k: 'leave', label: finished }]
    const code: Command[] = []
    if (node.progress && node.op !== 'end') code.push(set(this.flags, bin('|', get(this.flags), num(PROGRESS))))
    if (node.op === 'end') return [...this.push(undefined), { k: 'leave', label: finished }]
    if (node.op === 'choose') return [...code, ...this.mark(vertex.node), ...this.choose(node, vertex.accessed), { k: 'leave', label: finished }]
    if (node.op === 'branch') {
      // What leads on in any case may stand for a node that was taken out.
      if (vertex.next.length === 1) return [...code, ...this.mark(vertex.node), ...branch(vertex.next[0])]
      const [one, other] = vertex.next
      const [then, otherwise] = region.vertices[one].node === node.then ? [one, other] : [other, one]
      return [...code, ...when(lower(node.cond, this.frame), branch(then), branch(otherwise))]
    }
    return [...code, ...this.execute(node, finished), ...this.mark(vertex.node), ...branch(vertex.next[0])]
  }

  /** Notes that a node was executed. */
  private mark(node: NodeId): Command[] {
    if (this.workspace.taken === undefined) return []
    return [{ k: 'store', at: num(this.workspace.taken[this.thread]), offset: node, value: num(1) }]
  }

  private execute(node: Exclude<Node, { op: 'end' | 'choose' | 'branch' }>, finished: number): Command[] {
    const { frame } = this
    switch (node.op) {
      case 'assign':
        return [set(this.local(node.dst), lower(node.value, frame))]
      case 'load': {
        const values = node.places.map((place) => readCell(frame, place.column, lower(place.index, frame)))
        const input = this.program.inputs?.findIndex(({ column }) => column === node.places[0].column) ?? -1
        const noted: Command[] = input < 0 ? [] : [{ k: 'store', at: num(this.workspace.inputs), offset: input, value: num(1) }]
        if (values.length === 1) return [...noted, set(this.local(node.dsts[0]), values[0])]
        const read = values.map(() => frame.fresh())
        return [...values.map((value, i) => set(read[i], value)), ...node.dsts.map((dst, i) => set(this.local(dst), get(read[i])))]
      }
      case 'store': {
        const code: Command[] = []
        const hold = (value: Value): Value => {
          if (value.k === 'const') return value
          const into = frame.fresh()
          code.push(set(into, value))
          return get(into)
        }
        const cells = node.places.map((place) => hold(lower(place.index, frame)))
        const values = node.values.map((value) => hold(lower(value, frame)))
        node.places.forEach((place, i) => {
          code.push(...writeCell(frame, place.column, cells[i], values[i]))
        })
        return code
      }
      case 'step':
        // A guard that is not the first node was stopped at, so this one is: without it there is no transition.
        return node.guard ? when(not(lower(node.guard.cond, frame)), [{ k: 'leave', label: finished }]) : []
      case 'check': {
        const report: Command[] = [
          { k: 'store', at: num(this.workspace.violated), offset: node.check, value: num(1) },
          { k: 'store', at: num(this.workspace.alarm), offset: 0, value: num(1) },
        ]
        if (this.program.checks[node.check].fatal) {
          const count: Value = { k: 'word', at: num(this.workspace.fatal), offset: 0 }
          report.push({ k: 'store', at: num(this.workspace.fatal), offset: 0, value: bin('+', count, num(1)) }, { k: 'leave', label: finished })
        }
        return when(lower(node.fails, frame), report)
      }
    }
  }

  /** A loop over the values, each with everything that follows; what that changes is put back before the next value. */
  private choose(node: Extract<Node, { op: 'choose' }>, accessed: boolean): Command[] {
    const value = this.vars++
    const [loop, once] = [this.labels++, this.labels++]
    const inner = this.region(collectRegion(this.program.threads[this.thread], node.next, accessed, false), once)
    const changed = new Set<Var>()
    assigned(inner, changed)
    const dst = this.local(node.dst)
    const state = [...this.words, ...this.locals.values()].filter((v) => v !== dst && changed.has(v))
    const kept = [...state, this.flags].map((v) => ({ v, copy: this.vars++ }))
    const body: Command[] = [...kept.map(({ v, copy }) => set(v, get(copy))), set(dst, get(value))]
    if (node.failure) body.push(...when(bin('==', get(value), num(1)), [set(this.flags, bin('|', get(this.flags), num(FAILED)))]))
    body.push({ k: 'block', label: once, body: inner }, set(value, bin('+', get(value), num(1))))
    body.push(...when(bin('<', get(value), num(node.count)), [{ k: 'again', label: loop }]))
    return [...kept.map(({ v, copy }) => set(copy, get(v))), set(value, num(0)), ...when(num(node.count), [{ k: 'loop', label: loop, body }])]
  }

  /** From the source's sum where few words can differ from it, otherwise from nothing. */
  private hashOf(words: readonly Value[]): Command[] {
    const few = this.dirty.size * 2 < words.length
    const code: Command[] = [set(this.hash, few ? get(SUM) : num(0))]
    words.forEach((word, w) => {
      if (few && !this.dirty.has(w)) return
      code.push(...addWord(word, w, this.hash, this.scratch))
      if (few) code.push(...addWord({ k: 'word', at: get(SOURCE), offset: w }, w, this.hash, this.scratch, '-'))
    })
    return [...code, ...finishHash(this.hash)]
  }

  private changeable(start: NodeId): Set<number> {
    const words = new Set<number>()
    const column = (c: number): void => {
      const slot = this.layout.columns[c]
      for (let w = 0; w < Math.ceil(slot.cells / slot.perWord); w++) words.add(slot.word + w)
    }
    this.layout.threads[this.thread].masks.forEach((mask, w) => {
      if (mask !== 0) words.add(w)
    })
    for (const property of this.program.properties.eventually) column(property.seen)
    const graph = this.program.threads[this.thread]
    const pending = [collectRegion(graph, start, false, true)]
    for (const region of pending) {
      for (const { node, accessed, stop } of region.vertices) {
        const at = graph.nodes[node]
        if (stop) continue
        if (at.op === 'store') for (const place of at.places) column(place.column)
        if (at.op === 'choose') pending.push(collectRegion(graph, at.next, accessed, false))
      }
    }
    return words
  }

  /** Writes the record of a transition that stops before a node, or has ended. */
  private push(to: NodeId | undefined): Command[] {
    const plan = this.layout.threads[this.thread]
    const pc = to === undefined ? plan.counters.length : (plan.compact.get(to) as number)
    const kept = to === undefined ? [] : plan.live[pc]
    const result = this.words.map(get)
    plan.masks.forEach((mask, w) => {
      if (mask === 0) return
      let bits: Value = plan.pc.word === w ? slotBits(plan.pc, num(pc)) : num(0)
      for (const id of kept) {
        const slot = plan.locals[id]
        if (slot && slot.bits > 0 && slot.word === w) bits = bin('|', bits, slotBits(slot, get(this.local(id))))
      }
      result[w] = bin('|', bin('&', result[w], num(~mask)), bits)
    })
    // Into variables of their own: a `choose` around this may need the words again as they are.
    const { eventually } = this.program.properties
    const code: Command[] = []
    const out = result.map((value, w) => {
      if (value.k === 'get' && eventually.length === 0) return this.words[w]
      const own = this.vars++
      code.push(set(own, value))
      return own
    })
    const frame: Frame = { ...this.frame, words: out }
    for (const property of eventually) code.push(...when(lower(property.cond, frame), writeCell(frame, property.seen, num(0), num(1))))
    const words = out.map(get)
    code.push(...this.hashOf(words))
    words.forEach((word, w) => {
      code.push({ k: 'store', at: get(OUT), offset: w, value: word })
    })
    const flags = to === undefined ? bin('|', get(this.flags), num(PROGRESS)) : get(this.flags)
    code.push({ k: 'store', at: get(OUT), offset: words.length, value: get(this.hash) })
    code.push({ k: 'store', at: get(OUT), offset: words.length + 1, value: bin('|', flags, num(this.thread << FLAG_BITS)) })
    code.push(set(OUT, bin('+', get(OUT), num(words.length + 2))))
    return code
  }
}

function assigned(code: readonly Command[], into: Set<Var>): void {
  for (const command of code) {
    if (command.k === 'set') into.add(command.to)
    else if (command.k === 'if') {
      assigned(command.then, into)
      assigned(command.else, into)
    } else if (command.k === 'block' || command.k === 'loop') assigned(command.body, into)
    else if (command.k === 'switch') for (const one of command.cases) assigned(one, into)
  }
}
