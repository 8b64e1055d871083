/**
 * A small structured language of 32-bit integers, between the intermediate representation and the code that runs.
 * `emit-js.ts` and `emit-wasm.ts` write it out. Control is blocks and loops left by name; memory is one array of words.
 */

/** A variable of a function; the first ones are its parameters. */
export type Var = number

export type Operator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>' | '>>>' | '<' | '<=' | '>' | '>=' | '==' | '!='

export type Value =
  | { readonly k: 'const'; readonly value: number }
  | { readonly k: 'get'; readonly from: Var }
  /** Division by zero gives 0. Comparisons give 0 or 1. */
  | { readonly k: 'bin'; readonly op: Operator; readonly a: Value; readonly b: Value }
  /** Only the branch taken is evaluated. */
  | { readonly k: 'cond'; readonly c: Value; readonly a: Value; readonly b: Value }
  /** The word `offset` words after `at`, which counts words. */
  | { readonly k: 'word'; readonly at: Value; readonly offset: number }
  | { readonly k: 'call'; readonly to: string; readonly args: readonly Value[] }

export type Command =
  | { readonly k: 'set'; readonly to: Var; readonly value: Value }
  | { readonly k: 'store'; readonly at: Value; readonly offset: number; readonly value: Value }
  | { readonly k: 'if'; readonly c: Value; readonly then: readonly Command[]; readonly else: readonly Command[] }
  /** `leave` goes to the end of a block, `again` to the beginning of a loop; a loop that is not told `again` ends. */
  | { readonly k: 'block' | 'loop'; readonly label: number; readonly body: readonly Command[] }
  | { readonly k: 'leave' | 'again'; readonly label: number }
  /** Runs `cases[value]`; values from 0 to `cases.length - 1` only. */
  | { readonly k: 'switch'; readonly on: Value; readonly cases: readonly (readonly Command[])[] }
  | { readonly k: 'return'; readonly value: Value }

export interface MachineFunction {
  readonly name: string
  readonly params: number
  /** Number of variables, parameters included. */
  readonly vars: number
  readonly body: readonly Command[]
}

/** Exported functions, ready to be called. */
export type Functions<Exports extends string = string> = Readonly<Record<Exports, (...args: number[]) => number>>

/** Functions over one memory, and those of them that can be called from outside. */
export interface MachineModule<Exports extends string = string> {
  readonly functions: readonly MachineFunction[]
  readonly exports: readonly Exports[]
}

/** A constant. */
export function num(value: number): Value {
  return { k: 'const', value: value | 0 }
}

/** A variable's value. */
export function get(from: Var): Value {
  return { k: 'get', from }
}

/** An operation, folded where that is plain. */
export function bin(op: Operator, a: Value, b: Value): Value {
  if (a.k === 'const' && b.k === 'const') return num(fold(op, a.value, b.value))
  if (b.k === 'const') {
    if (b.value === 0 && (op === '+' || op === '-' || op === '<<' || op === '>>' || op === '>>>' || op === '|' || op === '^')) return a
    if (b.value === 1 && op === '*') return a
    if (b.value === 0 && (op === '&' || op === '*')) return num(0)
    if (b.value === -1 && op === '&') return a
    if (op === '!=' && b.value === 0 && isTruth(a)) return a
  }
  if (a.k === 'const') {
    if (a.value === 0 && (op === '+' || op === '|' || op === '^')) return b
    if (a.value === 0 && (op === '<<' || op === '&' || op === '*' || op === '>>>' || op === '>>')) return num(0)
    if (a.value === 1 && op === '*') return b
  }
  return { k: 'bin', op, a, b }
}

/** A choice between two values. */
export function cond(c: Value, a: Value, b: Value): Value {
  if (c.k === 'const') return c.value !== 0 ? a : b
  return { k: 'cond', c, a, b }
}

/** The truth of a value, as 0 or 1. */
export function truth(a: Value): Value {
  return isTruth(a) ? a : bin('!=', a, num(0))
}

/** The opposite truth. */
export function not(a: Value): Value {
  return bin('==', a, num(0))
}

/** An assignment. */
export function set(to: Var, value: Value): Command {
  return { k: 'set', to, value }
}

/** A condition without alternative. */
export function when(c: Value, then: readonly Command[], otherwise: readonly Command[] = []): Command[] {
  if (c.k === 'const') return [...(c.value !== 0 ? then : otherwise)]
  return [{ k: 'if', c, then, else: otherwise }]
}

function isTruth(a: Value): boolean {
  if (a.k === 'const') return a.value === 0 || a.value === 1
  if (a.k === 'bin') return ['<', '<=', '>', '>=', '==', '!='].includes(a.op)
  return a.k === 'cond' && isTruth(a.a) && isTruth(a.b)
}

function fold(op: Operator, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return Math.imul(a, b)
    case '/':
      return b === 0 ? 0 : a / b
    case '%':
      return b === 0 ? 0 : a % b
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<<':
      return a << b
    case '>>':
      return a >> b
    case '>>>':
      return a >>> b
    case '<':
      return Number(a < b)
    case '<=':
      return Number(a <= b)
    case '>':
      return Number(a > b)
    case '>=':
      return Number(a >= b)
    case '==':
      return Number(a === b)
    case '!=':
      return Number(a !== b)
  }
}
