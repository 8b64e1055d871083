/**
 * Cuts a function's graph down to what it does to one page's count. The state of the world is left open: every value read from
 * it may be any, each time, and a branch on it goes both ways. What is kept: the order of the operations, loops, which local
 * holds which page, plain values handed from function to function, and the result of an operation on the count.
 */
import type { FunctionBody } from '../ir/body.ts'
import { liveLocals } from '../ir/liveness.ts'
import { type LocalId, type Node, type NodeId, type Place, unreachable } from '../ir/program.ts'
import { type Env, type Facts, forEachValue, MOST_VALUES, split, type Values, valuesOf } from './abstract-value.ts'
import { COUNT_CLASSES, OTHER_PAGE, PAGE, PAGE_WORLD, PAGEMAP, TAIL_PAGE, THIS_PAGE } from './page-world.ts'

/** What the model says of its primitives. */
export interface Primitives {
  /** The tracepoint of a function that changes the count. */
  readonly events: ReadonlyMap<string, string>
  /** Functions that wake those who sleep until the page is idle. */
  readonly wake: ReadonlySet<string>
}

/** An operation on the count in one path of one step, in numbers of the model. */
export interface RawLetter {
  readonly event: string
  readonly value: number | undefined
  readonly done: boolean
  /** Class of the count before it, and what it adds; undefined: the count is not looked at. */
  readonly before: number | undefined
  readonly delta: number
  readonly chain: readonly string[]
}

/** The slice before it is made small: states are places in the graph with what is known of the locals there. */
export interface RawSlice {
  readonly states: readonly RawState[]
  /** The letters of `RawState.letters`, each once. */
  readonly letters: readonly RawLetter[]
  /** Chains of functions being executed in any state, as a text joined by `>`. */
  readonly reached: ReadonlySet<string>
}

export interface RawState {
  readonly end: boolean
  /** The state stands behind a wake-up. */
  readonly woke: boolean
  readonly silent: number[]
  readonly letters: { readonly letter: number; readonly to: number }[]
}

/** Slices of more states are given up: nobody can say much about such a function. */
const MOST_STATES = 150_000

interface Counting {
  /** Class of the count before the step, and the count that stands for it; undefined before it is read. */
  readonly before: number | undefined
  readonly now: number | undefined
  readonly stored: NodeId | undefined
}

const NOT_COUNTED: Counting = { before: undefined, now: undefined, stored: undefined }

/** Gives the slice of a function for a page of the given type; undefined if it grows beyond bounds. */
export function slice(body: FunctionBody, type: string, primitives: Primitives): RawSlice | undefined {
  const { nodes, locals } = body.thread
  const live = liveLocals(body.thread)
  const facts: Facts = {
    isPage(local) {
      const { display } = locals[local]
      return display.kind === 'ref' && display.objects[0] === PAGE_WORLD[PAGE.struct][0]
    },
  }
  const states: RawState[] = []
  const keys = new Map<string, number>()
  const work: { readonly id: number; readonly node: NodeId; readonly env: Env }[] = []
  const reached = new Set<string>()
  const letters: RawLetter[] = []
  const letterIds = new Map<string, number>()
  const chains = nodes.map((node) => node.at.stack.map((frame) => frame.name).join('>'))

  const anyOf = (lo: number, hi: number): Values => (hi - lo < MOST_VALUES ? Array.from({ length: hi - lo + 1 }, (_, i) => lo + i) : null)
  const at = (node: NodeId, env: Env, woke = false): number => {
    const kept = new Map<LocalId, Values>()
    let key = `${node}${woke ? '!' : ''}`
    for (const local of live[node]) {
      const values = env.get(local)
      if (!env.has(local) || (values && values.length === 1 && values[0] === 0)) continue
      kept.set(local, values ?? null)
      key += ` ${local}:${values ? values.join(',') : '*'}`
    }
    const known = keys.get(key)
    if (known !== undefined) return known
    const id = states.length
    keys.set(key, id)
    states.push({ end: nodes[node].op === 'end', woke, silent: [], letters: [] })
    work.push({ id, node, env: kept })
    return id
  }

  /** The objects a place may be in, each with the environment in which it is that one. */
  const objects = (place: Place, env: Env, body: (object: number | undefined, env: Env) => void): void => {
    const { index } = place
    const local = index.e === 'bin' && index.op === '-' && index.a.e === 'local' && index.b.e === 'const' && index.b.value === 1 ? index.a.local : undefined
    const values = local === undefined ? undefined : (env.get(local) ?? (env.has(local) ? null : [0]))
    if (local !== undefined && values) {
      forEachValue(env, local, values, (value, narrowed) => {
        // Through null there is no way.
        if (value > 0) body(value, narrowed)
      })
      return
    }
    const all = valuesOf(index, env, facts)
    if (all === null) body(undefined, env)
    else for (const value of all) if (value >= 0) body(value + 1, env)
  }
  const isPage = (place: Place): boolean => body.columns[place.column].struct === PAGE.struct
  const isCount = (place: Place): boolean => isPage(place) && body.columns[place.column].field === PAGE.count

  /** What reading a place other than the followed count gives. */
  const loaded = (place: Place, object: number | undefined): Values => {
    const column = body.columns[place.column]
    if (isPage(place) && column.field === PAGE.type && column.display.kind === 'enum' && object !== undefined && object !== OTHER_PAGE)
      return [column.display.members.indexOf(type)]
    if (column.struct === PAGEMAP.struct && column.field === PAGEMAP.type && column.display.kind === 'enum') return [column.display.members.indexOf(type)]
    if (isPage(place) && column.field === PAGE.head) {
      if (object === THIS_PAGE) return [0]
      if (object === TAIL_PAGE) return [THIS_PAGE]
      if (object === OTHER_PAGE) return [0, OTHER_PAGE]
    }
    return anyOf(column.lo, column.hi)
  }

  const read = (
    node: Extract<Node, { op: 'load' }>,
    env: Env,
    counting: Counting | undefined,
    go: (env: Env, counting: Counting | undefined) => void,
  ): void => {
    const next = (i: number, env: Env, counting: Counting | undefined): void => {
      if (i === node.places.length) {
        go(env, counting)
        return
      }
      const place = node.places[i]
      objects(place, env, (object, narrowed) => {
        const set = (values: Values): Env => new Map(narrowed).set(node.dsts[i], values)
        if (isCount(place) && counting && (object === THIS_PAGE || object === undefined)) {
          if (counting.now !== undefined) next(i + 1, set([counting.now]), counting)
          else if (counting.stored !== undefined) next(i + 1, set(null), counting)
          else
            COUNT_CLASSES.forEach((one, before) => {
              next(i + 1, set([one.at]), { ...counting, before, now: one.at })
            })
          return
        }
        next(i + 1, set(isCount(place) ? null : loaded(place, object)), counting)
      })
    }
    next(0, env, counting)
  }

  const wakes = (node: Node): boolean => {
    const names = [...node.at.stack.map((frame) => frame.name), ...(node.at.primitives ?? [])]
    return names.some((name) => primitives.wake.has(name))
  }
  const eventOf = (node: Node): string | undefined => (node.at.primitives ?? []).map((name) => primitives.events.get(name)).find((event) => event !== undefined)

  /** The letters of one path through a step. */
  const emit = (from: number, step: NodeId, counting: Counting, to: NodeId, env: Env): void => {
    const writer = counting.stored
    const event = eventOf(nodes[writer ?? step])
    const refusable = event === 'page_ref_mod_unless' || event === 'page_ref_freeze'
    const woke = wakes(nodes[step])
    if (writer === undefined && !(refusable && counting.before !== undefined)) {
      states[from].silent.push(at(to, env, woke))
      return
    }
    const { before } = counting
    const delta = before !== undefined && counting.now !== undefined && writer !== undefined ? counting.now - COUNT_CLASSES[before].at : 0
    const stores = writer !== undefined && (before === undefined || event === 'page_ref_set' || event === 'page_ref_unfreeze')
    const open = event === 'page_ref_freeze' || writer === undefined || counting.now === undefined
    const value = open ? undefined : stores ? counting.now : delta
    const chain = chains[writer ?? step]
    const said = event ?? (stores ? 'page_ref_set' : 'page_ref_mod')
    const key = `${said} ${value} ${writer !== undefined} ${stores ? undefined : before} ${delta} ${chain}`
    let letter = letterIds.get(key)
    if (letter === undefined) {
      letter = letters.length
      letterIds.set(key, letter)
      letters.push({ event: said, value, done: writer !== undefined, before: stores ? undefined : before, delta, chain: chain.split('>') })
    }
    states[from].letters.push({ letter, to: at(to, env, woke) })
  }

  /** Runs the nodes of an atomic step: from `node` until it is left. */
  const inStep = (from: number, step: NodeId, first: NodeId, until: NodeId, node: NodeId, env: Env, counting: Counting, depth: number): void => {
    if (node < first || node >= until || depth > 200) {
      emit(from, step, counting, node, env)
      return
    }
    const here = nodes[node]
    const go = (next: NodeId, env: Env, counting: Counting): void => inStep(from, step, first, until, next, env, counting, depth + 1)
    switch (here.op) {
      case 'assign':
        go(here.next, new Map(env).set(here.dst, valuesOf(here.value, env, facts)), counting)
        return
      case 'choose':
        go(here.next, new Map(env).set(here.dst, anyOf(0, here.count - 1)), counting)
        return
      case 'load':
        read(here, env, counting, (env, counting) => go(here.next, env, counting as Counting))
        return
      case 'store':
        store(node, here, env, counting, (env, counting) => go(here.next, env, counting))
        return
      case 'branch': {
        const { whenTrue, whenFalse } = split(here.cond, env, facts)
        if (whenTrue) go(here.then, whenTrue, counting)
        if (whenFalse) go(here.else, whenFalse, counting)
        return
      }
      case 'check': {
        const { whenFalse } = split(here.fails, env, facts)
        if (whenFalse) go(here.next, whenFalse, counting)
        return
      }
      case 'step':
        go(here.next, env, counting)
        return
      case 'end':
        emit(from, step, counting, node, env)
        return
      default:
        unreachable(here)
    }
  }
  const store = (id: NodeId, node: Extract<Node, { op: 'store' }>, env: Env, counting: Counting, go: (env: Env, counting: Counting) => void): void => {
    const count = node.places.findIndex(isCount)
    if (count < 0) {
      go(env, counting)
      return
    }
    objects(node.places[count], env, (object, narrowed) => {
      if (object !== THIS_PAGE && object !== undefined) {
        go(narrowed, counting)
        return
      }
      const values = valuesOf(node.values[count], narrowed, facts)
      for (const now of values ?? [undefined]) go(narrowed, { ...counting, now, stored: id })
    })
  }

  const start = new Map<LocalId, Values>()
  for (const local of body.inputs) {
    const { lo, hi, display } = locals[local]
    start.set(local, display.kind === 'count' ? null : anyOf(lo, hi))
  }
  at(body.thread.entry, start)
  while (work.length > 0) {
    if (states.length > MOST_STATES) return undefined
    const { id, node, env } = work.pop() as (typeof work)[number]
    const here = nodes[node]
    reached.add(chains[node])
    const silently = (next: NodeId, env: Env): void => {
      states[id].silent.push(at(next, env, wakes(here)))
    }
    switch (here.op) {
      case 'assign':
        silently(here.next, new Map(env).set(here.dst, valuesOf(here.value, env, facts)))
        break
      case 'choose':
        silently(here.next, new Map(env).set(here.dst, anyOf(0, here.count - 1)))
        break
      case 'load':
        read(here, env, undefined, (env) => silently(here.next, env))
        break
      case 'store':
        // A store that is a step of its own.
        store(node, here, env, NOT_COUNTED, (env, counting) => emit(id, node, counting, here.next, env))
        break
      case 'branch': {
        const { whenTrue, whenFalse } = split(here.cond, env, facts)
        if (whenTrue) silently(here.then, whenTrue)
        if (whenFalse) silently(here.else, whenFalse)
        break
      }
      case 'check': {
        const { whenFalse } = split(here.fails, env, facts)
        if (whenFalse) silently(here.next, whenFalse)
        break
      }
      case 'step':
        if (here.until === undefined) silently(here.next, env)
        else inStep(id, node, node + 1, here.until, here.next, env, NOT_COUNTED, 0)
        break
      case 'end':
        break
      default:
        unreachable(here)
    }
  }
  return { states, letters, reached }
}
