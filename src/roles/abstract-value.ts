/** Values of locals of which only some things are known, and what expressions over them can be. */
import { applyBinary } from '../ir/evaluate.ts'
import type { Expr, LocalId } from '../ir/program.ts'
import { OTHER_PAGE, TAIL_PAGE } from './page-world.ts'

/** The values a local may have, sorted; null: any. */
export type Values = readonly number[] | null
/** What is known of the live locals. One that is not here is 0: locals begin so. */
export type Env = ReadonlyMap<LocalId, Values>

/** Larger sets are "any". */
export const MOST_VALUES = 16
const MOST_COMBINATIONS = 512

/** Told apart from what is in the state: loads have no known value but where `load` gives one. */
export interface Facts {
  /** True for locals that refer to pages. */
  readonly isPage: (local: LocalId) => boolean
}

/** The values an expression may have in an environment. */
export function valuesOf(expr: Expr, env: Env, facts: Facts): Values {
  const found = new Set<number>()
  let any = false
  forEachCombination(expr, env, (pick) => {
    const value = compute(expr, pick, facts)
    if (value === null) any = true
    else found.add(value)
  })
  return any || found.size > MOST_VALUES ? null : [...found].sort((a, b) => a - b)
}

/** The environments in which a condition can be true, and in which it can be false; undefined where it cannot. */
export function split(expr: Expr, env: Env, facts: Facts): { readonly whenTrue: Env | undefined; readonly whenFalse: Env | undefined } {
  const sides = { yes: new Map<LocalId, Set<number>>(), no: new Map<LocalId, Set<number>>() }
  let yes = false
  let no = false
  const locals = severalValued(expr, env)
  forEachCombination(expr, env, (pick) => {
    const value = compute(expr, pick, facts)
    const keep = (side: Map<LocalId, Set<number>>): void => {
      for (const local of locals) {
        const value = pick(local)
        if (value === null) continue
        const values = side.get(local) ?? new Set()
        side.set(local, values.add(value))
      }
    }
    if (value !== 0) {
      yes = true
      keep(sides.yes)
    }
    if (value === null || value === 0) {
      no = true
      keep(sides.no)
    }
  })
  const narrowed = (side: Map<LocalId, Set<number>>): Env => {
    if (side.size === 0) return env
    const next = new Map(env)
    for (const [local, values] of side)
      next.set(
        local,
        [...values].sort((a, b) => a - b),
      )
    return next
  }
  return { whenTrue: yes ? narrowed(sides.yes) : undefined, whenFalse: no ? narrowed(sides.no) : undefined }
}

const TESTS = new Set(['<', '<=', '>', '>=', '==', '!=', '&&', '||'])

/** True for expressions that are true or false. */
export function isTest(expr: Expr): boolean {
  return expr.e === 'not' || (expr.e === 'bin' && TESTS.has(expr.op))
}

/** Assigns an expression to a local: of a test both outcomes, each with what it says of the locals it looked at. */
export function assign(env: Env, dst: LocalId, expr: Expr, facts: Facts, body: (env: Env) => void): void {
  if (isTest(expr)) {
    const { whenTrue, whenFalse } = split(expr, env, facts)
    if (whenTrue) body(new Map(whenTrue).set(dst, [1]))
    if (whenFalse) body(new Map(whenFalse).set(dst, [0]))
    return
  }
  body(new Map(env).set(dst, valuesOf(expr, env, facts)))
}

/** The environment for each value of a local that may have several. */
export function forEachValue(env: Env, local: LocalId, values: readonly number[], body: (value: number, env: Env) => void): void {
  for (const value of values) body(value, values.length === 1 ? env : new Map(env).set(local, [value]))
}

function severalValued(expr: Expr, env: Env): LocalId[] {
  const found = new Set<LocalId>()
  const visit = (one: Expr): void => {
    switch (one.e) {
      case 'local': {
        const values = env.get(one.local)
        if (values && values.length > 1) found.add(one.local)
        return
      }
      case 'not':
      case 'neg':
        visit(one.a)
        return
      case 'bin':
        visit(one.a)
        visit(one.b)
        return
      case 'cond':
        visit(one.c)
        visit(one.a)
        visit(one.b)
    }
  }
  visit(expr)
  return [...found]
}

function forEachCombination(expr: Expr, env: Env, body: (pick: (local: LocalId) => number | null) => void): void {
  const several = severalValued(expr, env)
  const sizes = several.map((local) => (env.get(local) as readonly number[]).length)
  const count = sizes.reduce((n, size) => n * size, 1)
  const single = (local: LocalId): number | null => {
    if (!env.has(local)) return 0
    const values = env.get(local)
    return values && values.length === 1 ? values[0] : null
  }
  if (several.length === 0 || count > MOST_COMBINATIONS) {
    body(single)
    return
  }
  const chosen = new Map<LocalId, number>()
  for (let i = 0; i < count; i++) {
    let rest = i
    several.forEach((local, k) => {
      chosen.set(local, (env.get(local) as readonly number[])[rest % sizes[k]])
      rest = Math.floor(rest / sizes[k])
    })
    body((local) => chosen.get(local) ?? single(local))
  }
}

/** The value with these locals; null if it is not known. */
function compute(expr: Expr, pick: (local: LocalId) => number | null, facts: Facts): number | null {
  switch (expr.e) {
    case 'const':
      return expr.value
    case 'local':
      return pick(expr.local)
    case 'load':
      return null
    case 'not': {
      const a = compute(expr.a, pick, facts)
      return a === null ? null : a === 0 ? 1 : 0
    }
    case 'neg': {
      const a = compute(expr.a, pick, facts)
      return a === null ? null : -a | 0
    }
    case 'cond': {
      const c = compute(expr.c, pick, facts)
      if (c !== null) return compute(c !== 0 ? expr.a : expr.b, pick, facts)
      const a = compute(expr.a, pick, facts)
      return a !== null && a === compute(expr.b, pick, facts) ? a : null
    }
    case 'bin': {
      const a = compute(expr.a, pick, facts)
      const b = compute(expr.b, pick, facts)
      if (expr.op === '&&') return a === 0 || b === 0 ? 0 : a === null || b === null ? null : 1
      if (expr.op === '||') return (a !== null && a !== 0) || (b !== null && b !== 0) ? 1 : a === null || b === null ? null : 0
      if (a === null || b === null) return null
      // Two pages that are not this one may be the same or not.
      if ((expr.op === '==' || expr.op === '!=') && a === b && (a === OTHER_PAGE || a === TAIL_PAGE) && differentPages(expr, facts)) return null
      return applyBinary(expr.op, a, b)
    }
  }
}

function differentPages(expr: { readonly a: Expr; readonly b: Expr }, facts: Facts): boolean {
  const page = (one: Expr): boolean => one.e === 'local' && facts.isPage(one.local)
  return page(expr.a) && page(expr.b) && !(expr.a.e === 'local' && expr.b.e === 'local' && expr.a.local === expr.b.local)
}
