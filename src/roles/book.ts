/** All that the model says about one kernel's operations on page counts: functions by their names in stacks, and their automata. */
import { CALL, type FunctionBody } from '../ir/body.ts'
import type { Values } from './abstract-value.ts'
import type { RoleAutomaton } from './automaton.ts'
import { finish } from './finish.ts'
import { reachedFrom } from './kept-book.ts'
import { FREE, LetterPool, WAKE } from './letters.ts'
import { reduce } from './reduce.ts'
import { anyArguments, inputsUsed, type Primitives, type Summary, slice, touchesCount } from './slice.ts'

/** A modelled function, as far as a book needs to know it. */
export interface RoleFunction {
  readonly name: string
  readonly file: string
  /** Further names in kernel stacks. */
  readonly aliases: readonly string[]
  /** Takes or gives back a reference for its caller. */
  readonly reference: boolean
  /** Its calls are looked at by themselves, also within calls of others. */
  readonly role: boolean
  /** Shown at its calls: no kernel stack has it. */
  readonly primitive: boolean
  readonly event: string | undefined
  readonly wakes: boolean
  readonly frees: boolean
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
  /** True for functions whose calls are looked at by themselves: what they do is no part of their callers' automata. */
  isRole(name: string): boolean
  /** What a call of the function may do to a page of the type (a member of the model's PageType); undefined: not known. */
  automaton(name: string, type: string): RoleAutomaton | undefined
  /** Whether a call of a function can be executing another one, in this kernel, for pages of the type. Ask for the automaton first. */
  reaches(from: string, to: string, type: string): boolean
  /** Functions that wait for an idle page, in this kernel; sorted. */
  readonly waiters: readonly string[]
}

/** What a book has found out so far, as plain data: a book made from it gives the same answers without the model. */
export interface BookPages {
  readonly kernel: string
  /** By frame. */
  readonly named: Readonly<Record<string, readonly string[]>>
  readonly references: readonly string[]
  readonly roles: readonly string[]
  readonly waiters: readonly string[]
  /** By type; null: looked for, and not known. */
  readonly automata: Readonly<Record<string, Readonly<Record<string, RoleAutomaton | null>>>>
  /** By type: which function calls which. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

/** A book that can be kept. */
export interface KeptBook extends RoleBook {
  /** All it knows; undefined: nothing that was not in what it was made from. */
  pages(): BookPages | undefined
}

/** A book whose automata are made when they are first asked for. */
export function roleBook(kernel: string, source: RoleSource): KeptBook {
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
    marks: new Map(source.functions.flatMap((fn): [string, string][] => (fn.wakes ? [[fn.name, WAKE]] : fn.frees ? [[fn.name, FREE]] : []))),
  }
  const types = new Map<string, Slices>()
  const slices = (type: string): Slices => {
    let found = types.get(type)
    if (!found) {
      found = new Slices(type, source, primitives, new Set(source.functions.filter((fn) => fn.role).map((fn) => `${fn.file}:${fn.name}`)))
      types.set(type, found)
    }
    return found
  }
  let waiters: readonly string[] | undefined
  return {
    kernel,
    named: (frame) => byFrame.get(frame) ?? [],
    isReference: (name) => byName.get(name)?.reference === true,
    isRole: (name) => byName.get(name)?.role === true,
    automaton(name, type) {
      const fn = byName.get(name)
      return fn && slices(type).automaton(fn)
    },
    reaches: (from, to, type) => slices(type).reaches(from, to),
    get waiters() {
      waiters ??= findWaiters(source)
      return waiters
    },
    pages() {
      waiters ??= findWaiters(source)
      return {
        kernel,
        named: Object.fromEntries(byFrame),
        references: source.functions.filter((fn) => fn.reference).map((fn) => fn.name),
        roles: source.functions.filter((fn) => fn.role).map((fn) => fn.name),
        waiters,
        automata: Object.fromEntries([...types].map(([type, found]) => [type, found.made])),
        calls: Object.fromEntries([...types].map(([type, found]) => [type, found.callees])),
      }
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
  private readonly reached = new Map<string, ReadonlySet<string>>()

  /** Keys of the functions whose calls are looked at by themselves. */
  private readonly roles: ReadonlySet<string>
  private readonly roleNames: ReadonlySet<string>

  constructor(type: string, source: RoleSource, primitives: Primitives, roles: ReadonlySet<string>) {
    this.roles = roles
    this.roleNames = new Set([...roles].map((key) => key.slice(key.lastIndexOf(':') + 1)))
    this.type = type
    this.source = source
    this.primitives = primitives
  }

  get made(): Record<string, RoleAutomaton | null> {
    return Object.fromEntries([...this.automata].map(([name, automaton]) => [name, automaton ?? null]))
  }

  get callees(): Record<string, readonly string[]> {
    return Object.fromEntries([...this.calls].map(([name, callees]) => [name, [...callees]]))
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
      const apart = (name: string): boolean => name !== from && this.roleNames.has(name)
      found = reachedFrom(from, (name) => (apart(name) ? [] : (this.calls.get(name) ?? [])))
      this.reached.set(from, found)
    }
    return found.has(to)
  }

  private readonly effects = new Map<string, boolean>()

  /** By what the function's graph has, and those of the functions it calls. */
  private effectful(key: string): boolean {
    const known = this.effects.get(key)
    if (known !== undefined) return known
    const at = key.lastIndexOf(':')
    const body = this.source.body({ file: key.slice(0, at), name: key.slice(at + 1) })
    const found =
      body !== undefined &&
      !this.roles.has(key) &&
      (this.primitives.marks.has(key.slice(at + 1)) ||
        body.thread.nodes.some((node) => touchesCount(node, body, this.primitives, (callee) => this.effectful(callee))))
    this.effects.set(key, found)
    return found
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
        effectful: (callee) => this.effectful(callee),
        call: (callee, values) => {
          if (this.roles.has(callee)) return undefined
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

/** The functions of the kernel that wait for an idle page: those that call what waits, as far as somebody calls them. */
function findWaiters({ functions, body }: RoleSource): string[] {
  const callees = (fn: RoleFunction): ReadonlySet<string> => {
    const found = new Set<string>()
    const own = body(fn)
    for (const node of own?.thread.nodes ?? []) {
      for (const frame of node.at.stack.slice(1)) found.add(frame.name)
      if (node.op === 'load' && node.places.length > 0) {
        const { struct, field } = (own as FunctionBody).column(node.places[0].column)
        if (struct === CALL) found.add(field.slice(field.lastIndexOf(':') + 1))
      }
    }
    return found
  }
  const calling = (names: ReadonlySet<string>): RoleFunction[] =>
    functions.filter((fn) => !fn.primitive && fn.calls.some((name) => names.has(name)) && [...callees(fn)].some((name) => names.has(name)))
  const direct = calling(new Set(functions.filter((fn) => fn.waits).map((fn) => fn.name)))
  const around = calling(new Set(direct.map((fn) => fn.name)))
  const lonely = direct.filter((fn) => !around.some((outer) => outer.calls.includes(fn.name)))
  const isCalled = (fn: RoleFunction): boolean => {
    const callers = functions.filter((other) => other.calls.includes(fn.name))
    return callers.length === 0 || callers.some((other) => callees(other).has(fn.name))
  }
  return [...around, ...lonely]
    .filter(isCalled)
    .map((fn) => fn.name)
    .sort()
}
