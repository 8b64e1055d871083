/** All that the model says about one kernel's operations on page counts: functions by their names in stacks, and their automata. */
import type { FunctionBody } from '../ir/body.ts'
import type { Values } from './abstract-value.ts'
import type { RoleAutomaton } from './automaton.ts'
import { finish } from './finish.ts'
import { LetterPool } from './letters.ts'
import { reduce } from './reduce.ts'
import { anyArguments, inputsUsed, type Primitives, type Summary, slice } from './slice.ts'

/** A modelled function, as far as a book needs to know it. */
export interface RoleFunction {
  readonly name: string
  readonly file: string
  /** Further names in kernel stacks. */
  readonly aliases: readonly string[]
  /** Takes or gives back a reference for its caller. */
  readonly reference: boolean
  /** Shown at its calls: no kernel stack has it. */
  readonly primitive: boolean
  readonly event: string | undefined
  readonly wakes: boolean
  readonly waits: boolean
  /** The modelled functions it names, whatever the switches. */
  readonly calls: readonly string[]
}

/** Where a book takes the functions from. */
export interface RoleSource {
  readonly functions: readonly RoleFunction[]
  /** Under the kernel's switches; undefined: the function cannot be looked at by itself. */
  body(fn: { readonly name: string; readonly file: string }): FunctionBody | undefined
}

export interface RoleBook {
  /** The preset's name: `v6.1`. */
  readonly kernel: string
  /** Modelled functions that a frame of a kernel's stack may be; empty if none is. */
  named(frame: string): readonly string[]
  /** True for functions that act for their caller: alone they say nothing of who takes or gives back a reference. */
  isReference(name: string): boolean
  /** What a call of the function may do to a page of the type (a member of the model's PageType); undefined: not known. */
  automaton(name: string, type: string): RoleAutomaton | undefined
  /** Whether a call of a function can be executing another one, in this kernel, for pages of the type. Ask for the automaton first. */
  reaches(from: string, to: string, type: string): boolean
  /** Functions that the model's wait for an idle page stands in, in this kernel; sorted. */
  readonly waiters: readonly string[]
}

/** A book whose automata are made when they are first asked for. */
export function roleBook(kernel: string, source: RoleSource): RoleBook {
  const byName = new Map<string, RoleFunction>()
  const byFrame = new Map<string, string[]>()
  const add = (frame: string, name: string): void => {
    const names = byFrame.get(frame) ?? []
    if (!names.includes(name)) byFrame.set(frame, [...names, name])
  }
  for (const fn of source.functions) {
    if (!byName.has(fn.name)) byName.set(fn.name, fn)
    if (fn.primitive) continue
    add(fn.name, fn.name)
    for (const alias of fn.aliases) add(alias, fn.name)
  }
  const primitives: Primitives = {
    events: new Map(source.functions.flatMap((fn) => (fn.event === undefined ? [] : [[fn.name, fn.event]]))),
    wake: new Set(source.functions.filter((fn) => fn.wakes).map((fn) => fn.name)),
  }
  const types = new Map<string, Slices>()
  const slices = (type: string): Slices => {
    let found = types.get(type)
    if (!found) {
      found = new Slices(type, source, primitives)
      types.set(type, found)
    }
    return found
  }
  let waiters: readonly string[] | undefined
  return {
    kernel,
    named: (frame) => byFrame.get(frame) ?? [],
    isReference: (name) => byName.get(name)?.reference === true,
    automaton(name, type) {
      const fn = byName.get(name)
      return fn && slices(type).automaton(fn)
    },
    reaches: (from, to, type) => slices(type).reaches(from, to),
    get waiters() {
      waiters ??= findWaiters(source)
      return waiters
    },
  }
}

/** Slices of functions for pages of one type, each made once for each choice of arguments. */
class Slices {
  private readonly type: string
  private readonly source: RoleSource
  private readonly primitives: Primitives
  private readonly pool = new LetterPool()
  private readonly summaries = new Map<string, Summary | undefined>()
  private readonly automata = new Map<string, RoleAutomaton | undefined>()
  private readonly used = new Map<string, readonly boolean[]>()
  private readonly calls = new Map<string, Set<string>>()
  private readonly reached = new Map<string, Set<string>>()

  constructor(type: string, source: RoleSource, primitives: Primitives) {
    this.type = type
    this.source = source
    this.primitives = primitives
  }

  automaton(fn: RoleFunction): RoleAutomaton | undefined {
    if (!this.automata.has(fn.name)) {
      const body = this.source.body(fn)
      const summary = body && this.summary(`${fn.file}:${fn.name}`, body, anyArguments(body))
      this.automata.set(fn.name, summary && finish(fn.name, this.type, summary, this.pool))
      this.reached.clear()
    }
    return this.automata.get(fn.name)
  }

  reaches(from: string, to: string): boolean {
    let found = this.reached.get(from)
    if (!found) {
      found = new Set([from])
      for (const name of found) for (const callee of this.calls.get(name) ?? []) found.add(callee)
      this.reached.set(from, found)
    }
    return found.has(to)
  }

  private summary(key: string, body: FunctionBody, args: readonly Values[]): Summary | undefined {
    let used = this.used.get(key)
    if (!used) {
      used = inputsUsed(body)
      this.used.set(key, used)
    }
    // Arguments that are not looked at do not matter.
    const mattering = args.map((values, i) => (used[i] ? values : [0]))
    const id = `${key} ${mattering.map((values) => values?.join(',') ?? '*').join(';')}`
    if (!this.summaries.has(id)) {
      const raw = slice(body, mattering, {
        type: this.type,
        primitives: this.primitives,
        pool: this.pool,
        call: (callee, values) => {
          const at = callee.lastIndexOf(':')
          const inner = this.source.body({ file: callee.slice(0, at), name: callee.slice(at + 1) })
          return inner && this.summary(callee, inner, values)
        },
        calls: (caller, callee) => {
          const known = this.calls.get(caller) ?? new Set()
          this.calls.set(caller, known.add(callee))
        },
      })
      this.summaries.set(id, raw && reduce(raw, this.pool))
    }
    return this.summaries.get(id)
  }
}

/** The functions that stand around a wait: those that wait, and those that call them, as far as they are the kernel's. */
function findWaiters({ functions, body }: RoleSource): string[] {
  const waits = new Set(functions.filter((fn) => fn.waits).map((fn) => fn.name))
  const found = new Set<string>()
  const inStack = (fn: RoleFunction, names: ReadonlySet<string>): boolean =>
    (body(fn)?.thread.nodes ?? []).some((node) => node.at.stack.some((frame) => names.has(frame.name)) || calledIn(body(fn), node, names))
  const direct = functions.filter((fn) => !fn.primitive && !fn.waits && fn.calls.some((name) => waits.has(name)) && inStack(fn, waits))
  for (const fn of direct) found.add(fn.name)
  const near = new Set(found)
  for (const fn of functions) if (!fn.primitive && !near.has(fn.name) && fn.calls.some((name) => near.has(name)) && inStack(fn, near)) found.add(fn.name)
  return [...found].sort()
}

function calledIn(body: FunctionBody | undefined, node: FunctionBody['thread']['nodes'][number], names: ReadonlySet<string>): boolean {
  if (!body || node.op !== 'load' || node.places.length === 0) return false
  const { field } = body.column(node.places[0].column)
  return names.has(field.slice(field.lastIndexOf(':') + 1))
}
