/** All that the model says about one kernel's operations on page counts: functions by their names in stacks, and their automata. */
import type { FunctionBody } from '../ir/body.ts'
import type { RoleAutomaton } from './automaton.ts'
import { reduce } from './reduce.ts'
import { type Primitives, slice } from './slice.ts'

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
  body(fn: RoleFunction): FunctionBody | undefined
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
  const bodies = new Map<string, FunctionBody | undefined>()
  const bodyOf = (name: string): FunctionBody | undefined => {
    const fn = byName.get(name)
    if (!bodies.has(name)) bodies.set(name, fn && source.body(fn))
    return bodies.get(name)
  }
  const automata = new Map<string, RoleAutomaton | undefined>()
  let waiters: readonly string[] | undefined
  return {
    kernel,
    named: (frame) => byFrame.get(frame) ?? [],
    isReference: (name) => byName.get(name)?.reference === true,
    automaton(name, type) {
      const key = `${name} ${type}`
      if (!automata.has(key)) {
        const body = bodyOf(name)
        const raw = body && slice(body, type, primitives)
        automata.set(key, raw && reduce(name, type, raw))
      }
      return automata.get(key)
    },
    get waiters() {
      waiters ??= findWaiters(source.functions, bodyOf)
      return waiters
    },
  }
}

/** The functions from which a wait is reached under the kernel's switches, and which no other such function calls but through a further one. */
function findWaiters(functions: readonly RoleFunction[], bodyOf: (name: string) => FunctionBody | undefined): string[] {
  const waits = new Set(functions.filter((fn) => fn.waits).map((fn) => fn.name))
  const reaching = new Set(waits)
  for (let grown = true; grown; ) {
    grown = false
    for (const fn of functions)
      if (!reaching.has(fn.name) && fn.calls.some((name) => reaching.has(name))) {
        reaching.add(fn.name)
        grown = true
      }
  }
  const found = new Set<string>()
  for (const fn of functions) {
    if (fn.primitive || !reaching.has(fn.name)) continue
    const near = fn.calls.some((name) => waits.has(name) || functions.some((other) => other.name === name && other.calls.some((inner) => waits.has(inner))))
    if (!near) continue
    for (const node of bodyOf(fn.name)?.thread.nodes ?? []) {
      if (!node.at.primitives?.some((name) => waits.has(name)) && !node.at.stack.some((frame) => waits.has(frame.name))) continue
      for (const { name } of node.at.stack) if (!waits.has(name)) found.add(name)
    }
  }
  return [...found].sort()
}
