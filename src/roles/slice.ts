/**
 * Cuts a function's graph down to what it does to one page's count. The state of the world is left open: every value read from
 * it may be any, each time, and a branch on it goes both ways. What is kept: the order of the operations, loops, which local
 * holds which page, plain values handed from function to function, and the result of an operation on the count.
 */
import { CALL, type FunctionBody, RETURN } from '../ir/body.ts'
import { liveLocals } from '../ir/liveness.ts'
import { type Expr, type LocalId, type Node, type NodeId, type Place, unreachable } from '../ir/program.ts'
import { assign, type Env, type Facts, forEachValue, isTest, MOST_VALUES, split, type Values, valuesOf } from './abstract-value.ts'
import { isMark, type LetterPool } from './letters.ts'
import { COUNT_CLASSES, OTHER_PAGE, PAGE, PAGE_WORLD, PAGEMAP, TAIL_PAGE, THIS_PAGE } from './page-world.ts'
import { relevance } from './relevance.ts'

/** What the model says of its primitives. */
export interface Primitives {
  /** The tracepoint of a function that changes the count. */
  readonly events: ReadonlyMap<string, string>
  /** Functions whose execution is marked, with the mark. */
  readonly marks: ReadonlyMap<string, string>
}

/** What a function does with certain arguments, small; state 0 is its beginning. */
export interface Summary {
  readonly edges: readonly (readonly Move[])[]
  /** For each state the ways to return from it without a further operation: indices of `returns`. */
  readonly exits: readonly (readonly number[])[]
  /** What it can return, word by word. */
  readonly returns: readonly (readonly Values[])[]
}

export interface Move {
  /** An id of the pool. */
  readonly letter: number
  readonly to: number
}

/** A slice before it is made small: states are places in the graph with what is known of the locals there. */
export interface RawSlice {
  readonly states: readonly RawState[]
  readonly returns: readonly (readonly Values[])[]
}

export interface RawState {
  /** Index of `returns`; -1: not a return. */
  exit: number
  readonly silent: number[]
  readonly letters: Move[]
}

export interface SliceContext {
  /** The page's type: a member of the model's PageType. */
  readonly type: string
  readonly primitives: Primitives
  readonly pool: LetterPool
  /** What a called function does with these arguments; undefined: nothing to the page, as far as this slice goes, and it may give anything. */
  call(key: string, args: readonly Values[]): Summary | undefined
  /** Whether the function, or one it calls, does anything to a page's count. */
  readonly effectful: (key: string) => boolean
  /** Told of each call: `caller` calls `callee`. */
  calls(caller: string, callee: string): void
}

/** Slices of more states are given up: nobody can say much about such a function. */
const MOST_STATES = 60_000

interface Counting {
  /** Class of the count before the step, and the count that stands for it; undefined before it is read. */
  readonly before: number | undefined
  readonly now: number | undefined
  readonly stored: NodeId | undefined
}

const NOT_COUNTED: Counting = { before: undefined, now: undefined, stored: undefined }

/** Which arguments a function looks at, in the order of its inputs. */
export function inputsUsed(body: FunctionBody): boolean[] {
  const live = new Set(liveLocals(body.thread).at(body.thread.entry))
  return body.inputs.map((input) => live.has(input))
}

/** Every argument may be anything. */
export function anyArguments(body: FunctionBody): Values[] {
  return body.inputs.map((input) => {
    const { lo, hi, display } = body.thread.locals[input]
    return display.kind === 'count' ? null : anyOf(lo, hi)
  })
}

function anyOf(lo: number, hi: number): Values {
  return hi - lo < MOST_VALUES ? Array.from({ length: hi - lo + 1 }, (_, i) => lo + i) : null
}

/** Gives the slice of a function; undefined if it grows beyond bounds. */
export function slice(body: FunctionBody, args: readonly Values[], context: SliceContext): RawSlice | undefined {
  const { type, primitives, pool } = context
  const { nodes, locals } = body.thread
  const live = liveLocals(body.thread)
  const matters = relevance(body, (node) => isEffect(node, body, context))
  const facts: Facts = {
    isPage(local) {
      const { display } = locals[local]
      return display.kind === 'ref' && display.objects[0] === PAGE_WORLD[PAGE.struct][0]
    },
  }
  const states: RawState[] = []
  const keys = new Map<string, number>()
  const work: { readonly id: number; readonly node: NodeId; readonly env: Env }[] = []
  const returns: (readonly Values[])[] = []
  const returnIds = new Map<string, number>()
  const chains = nodes.map((node) => node.at.stack.map((frame) => frame.name).join('>'))
  const columns = new Map<number, ReturnType<FunctionBody['column']>>()
  const columnOf = (place: Place): ReturnType<FunctionBody['column']> => {
    let column = columns.get(place.column)
    if (!column) {
      column = body.column(place.column)
      columns.set(place.column, column)
    }
    return column
  }

  const state = (key: string): { id: number; fresh: boolean } => {
    const known = keys.get(key)
    if (known !== undefined) return { id: known, fresh: false }
    const id = states.length
    keys.set(key, id)
    states.push({ exit: -1, silent: [], letters: [] })
    return { id, fresh: true }
  }
  const envKey = (node: NodeId, env: Env, kept: Map<LocalId, Values>): string => {
    let key = `${node}`
    for (const local of live.at(node)) {
      const values = env.get(local)
      if (!matters.local(local) || !env.has(local) || (values && values.length === 1 && values[0] === 0)) continue
      kept.set(local, values ?? null)
      key += ` ${local}:${values ? values.join(',') : '*'}`
    }
    return key
  }
  const at = (where: NodeId, env: Env): number => {
    const node = matters.skip(where)
    const kept = new Map<LocalId, Values>()
    const { id, fresh } = state(envKey(node, env, kept))
    if (fresh) work.push({ id, node, env: kept })
    return id
  }

  /** The objects a place may be in, each with the environment in which it is that one. */
  const objects = (place: Place, env: Env, go: (object: number | undefined, env: Env) => void): void => {
    const { index } = place
    const local = index.e === 'bin' && index.op === '-' && index.a.e === 'local' && index.b.e === 'const' && index.b.value === 1 ? index.a.local : undefined
    const values = local === undefined ? undefined : env.has(local) ? (env.get(local) ?? null) : [0]
    if (local !== undefined && values) {
      forEachValue(env, local, values, (value, narrowed) => {
        // Through null there is no way.
        if (value > 0) go(value, narrowed)
      })
      return
    }
    const all = valuesOf(index, env, facts)
    if (all === null) go(undefined, env)
    else for (const value of all) if (value >= 0) go(value + 1, env)
  }
  const isCount = (place: Place): boolean => columnOf(place).struct === PAGE.struct && columnOf(place).field === PAGE.count

  /** What reading a place other than the followed count gives. */
  const loaded = (place: Place, object: number | undefined): Values => {
    const { struct, field, display, lo, hi } = columnOf(place)
    const known = display.kind === 'enum' ? display.members.indexOf(type) : -1
    if (struct === PAGE.struct && field === PAGE.type && object !== undefined && object < OTHER_PAGE) return [known]
    if (struct === PAGEMAP.struct && field === PAGEMAP.type && known >= 0) return [known]
    if (struct === PAGE.struct && field === PAGE.head) {
      if (object === THIS_PAGE) return [0]
      if (object === TAIL_PAGE) return [THIS_PAGE]
      if (object !== undefined) return [0, OTHER_PAGE]
    }
    return anyOf(lo, hi)
  }

  const read = (
    node: Extract<Node, { op: 'load' }>,
    env: Env,
    counting: Counting | undefined,
    go: (env: Env, counting: Counting | undefined) => void,
  ): void => {
    const next = (i: number, env: Env, counting: Counting | undefined): void => {
      if (i === node.dsts.length) {
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

  /** A silent move, unless the function it is in is marked. */
  const silently = (from: number, node: Node, to: NodeId, env: Env): void => {
    const names = [...node.at.stack.map((frame) => frame.name), ...(node.at.primitives ?? [])]
    const mark = names.map((name) => primitives.marks.get(name)).find((one) => one !== undefined)
    if (mark !== undefined) states[from].letters.push({ letter: pool.id({ event: mark, value: undefined, done: true, before: 0, chain: '' }), to: at(to, env) })
    else states[from].silent.push(at(to, env))
  }

  /** The letters of one path through a step. */
  const emit = (from: number, step: NodeId, counting: Counting, to: NodeId, env: Env): void => {
    const writer = counting.stored
    const event = (nodes[writer ?? step].at.primitives ?? []).map((name) => primitives.events.get(name)).find((one) => one !== undefined)
    const refusable = event === 'page_ref_mod_unless' || event === 'page_ref_freeze'
    if (writer === undefined && !(refusable && counting.before !== undefined)) {
      silently(from, nodes[step], to, env)
      return
    }
    const { before } = counting
    const stores = writer !== undefined && (before === undefined || event === 'page_ref_set' || event === 'page_ref_unfreeze')
    const open = event === 'page_ref_freeze' || writer === undefined || counting.now === undefined
    const letter = pool.id({
      event: event ?? (stores ? 'page_ref_set' : 'page_ref_mod'),
      value: open ? undefined : stores ? counting.now : (counting.now as number) - COUNT_CLASSES[before as number].at,
      done: writer !== undefined,
      before: stores || before === undefined ? 0 : 1 << before,
      chain: chains[writer ?? step],
    })
    states[from].letters.push({ letter, to: at(to, env) })
  }

  /** Runs the nodes of an atomic step, numbered from `first` to before `until`, until it is left. */
  const inStep = (from: number, step: NodeId, first: NodeId, until: NodeId, node: NodeId, env: Env, counting: Counting): void => {
    const here = nodes[node]
    if (node < first || node >= until || here.op === 'end') {
      emit(from, step, counting, node, env)
      return
    }
    const go = (next: NodeId, env: Env, counting: Counting): void => inStep(from, step, first, until, next, env, counting)
    switch (here.op) {
      case 'assign':
        assign(env, here.dst, here.value, facts, (env) => go(here.next, env, counting))
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

  /** Goes through a called function: its small slice in the place of the call, once for each choice of arguments. */
  const call = (from: number, node: Extract<Node, { op: 'load' }>, env: Env): void => {
    const key = columnOf(node.places[0]).field
    const name = key.slice(key.lastIndexOf(':') + 1)
    const { stack } = node.at
    for (let i = 1; i < stack.length; i++) context.calls(stack[i - 1].name, stack[i].name)
    context.calls(stack[stack.length - 1].name, name)
    const chain = stack.map((frame) => frame.name).join('>')
    forEachArguments(
      node.places.slice(1).map((place) => place.index),
      env,
      facts,
      (values, narrowed) => {
        const summary = context.call(key, values)
        if (!summary) {
          states[from].silent.push(
            at(node.next, new Map([...narrowed, ...node.dsts.map((dst): [LocalId, Values] => [dst, anyOf(locals[dst].lo, locals[dst].hi)])])),
          )
          return
        }
        const rest = envKey(matters.skip(node.next), new Map([...narrowed, ...node.dsts.map((dst): [LocalId, Values] => [dst, [0]])]), new Map())
        const inside = (s: number): number => {
          // A state that only returns is the state behind the call.
          const { id, fresh } = state(`${chain} ${key} ${values.map((one) => one?.join(',')).join(';')} ${s} @ ${rest}`)
          if (!fresh) return id
          for (const exit of summary.exits[s])
            states[id].silent.push(
              at(
                node.next,
                new Map([
                  ...narrowed,
                  ...node.dsts.map((dst, i): [LocalId, Values] => [dst, summary.returns[exit][i] ?? anyOf(locals[dst].lo, locals[dst].hi)]),
                ]),
              ),
            )
          for (const { letter, to } of summary.edges[s])
            states[id].letters.push({ letter: isMark(pool.letters[letter]) ? letter : pool.within(chain, letter), to: inside(to) })
          return id
        }
        states[from].silent.push(inside(0))
      },
    )
  }

  const start = new Map<LocalId, Values>()
  body.inputs.forEach((input, i) => {
    start.set(input, args[i])
  })
  at(body.thread.entry, start)
  while (work.length > 0) {
    if (states.length > MOST_STATES) return undefined
    const { id, node, env } = work.pop() as (typeof work)[number]
    const here = nodes[node]
    switch (here.op) {
      case 'assign':
        assign(env, here.dst, here.value, facts, (env) => silently(id, here, here.next, env))
        break
      case 'choose':
        silently(id, here, here.next, new Map(env).set(here.dst, anyOf(0, here.count - 1)))
        break
      case 'load': {
        const kind = here.places.length === 0 ? RETURN : columnOf(here.places[0]).struct
        if (kind === CALL) call(id, here, env)
        else if (kind === RETURN) {
          const values = here.places.map((place) => valuesOf(place.index, env, facts))
          const key = values.map((one) => one?.join(',') ?? '*').join(';')
          if (!returnIds.has(key)) {
            returnIds.set(key, returns.length)
            returns.push(values)
          }
          states[id].exit = returnIds.get(key) as number
        } else read(here, env, undefined, (env) => silently(id, here, here.next, env))
        break
      }
      case 'store':
        // A store that is a step of its own.
        store(node, here, env, NOT_COUNTED, (env, counting) => emit(id, node, counting, here.next, env))
        break
      case 'branch': {
        const { whenTrue, whenFalse } = split(here.cond, env, facts)
        if (whenTrue) silently(id, here, here.then, whenTrue)
        if (whenFalse) silently(id, here, here.else, whenFalse)
        break
      }
      case 'check': {
        const { whenFalse } = split(here.fails, env, facts)
        if (whenFalse) silently(id, here, here.next, whenFalse)
        break
      }
      case 'step':
        if (here.until === undefined) silently(id, here, here.next, env)
        else inStep(id, node, node + 1, here.until, here.next, env, NOT_COUNTED)
        break
      case 'end':
        break
      default:
        unreachable(here)
    }
  }
  return { states, returns }
}

/** What must not be passed over: what touches the count, results, and what the model says cannot be. */
function isEffect(node: Node, body: FunctionBody, { primitives, effectful }: SliceContext): boolean {
  if (node.op === 'check' || node.op === 'end') return true
  if (node.op === 'load' && (node.places.length === 0 || body.column(node.places[0].column).struct === RETURN)) return true
  return touchesCount(node, body, primitives, effectful)
}

/** Operations on the count, marked functions, calls that lead to either. */
export function touchesCount(node: Node, body: FunctionBody, primitives: Primitives, effectful: (key: string) => boolean): boolean {
  const names = [...node.at.stack.map((frame) => frame.name), ...(node.at.primitives ?? [])]
  if (names.some((name) => primitives.marks.has(name))) return true
  if (node.op === 'step') return (node.at.primitives ?? []).some((name) => primitives.events.has(name))
  if ((node.op !== 'load' && node.op !== 'store') || node.places.length === 0) return false
  const { struct, field } = body.column(node.places[0].column)
  if (struct === CALL) return effectful(field)
  // A plain look at the count is none; the reads and writes of an atomic operation are.
  if (node.op === 'load' && node.access) return false
  return node.places.some(({ column }) => body.column(column).struct === PAGE.struct && body.column(column).field === PAGE.count)
}

/** Each choice of arguments with the environment in which it is made: which page, and the outcome of each test. */
function forEachArguments(exprs: readonly Expr[], env: Env, facts: Facts, body: (values: readonly Values[], env: Env) => void): void {
  const next = (i: number, env: Env, values: readonly Values[]): void => {
    if (i === exprs.length) {
      body(values, env)
      return
    }
    const expr = exprs[i]
    const known = expr.e === 'local' ? env.get(expr.local) : undefined
    if (expr.e === 'local' && known && known.length > 1) forEachValue(env, expr.local, known, (value, narrowed) => next(i + 1, narrowed, [...values, [value]]))
    else if (isTest(expr)) {
      const { whenTrue, whenFalse } = split(expr, env, facts)
      if (whenTrue) next(i + 1, whenTrue, [...values, [1]])
      if (whenFalse) next(i + 1, whenFalse, [...values, [0]])
    } else next(i + 1, env, [...values, valuesOf(expr, env, facts)])
  }
  next(0, env, [])
}
