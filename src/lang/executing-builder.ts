/**
 * Executes what is lowered instead of keeping it: for the set-up, which runs alone and makes no choices, so that only the branches
 * that are taken have to be walked.
 */
import { applyBinary } from '../ir/evaluate.ts'
import type { ColumnId, Expr, Node, Position } from '../ir/program.ts'
import { GraphBuilder, type Label, type NewNode } from './graph-builder.ts'

/** Why a set-up does not come to its end, and where. */
export class SetUpFailed extends Error {
  readonly at: Position
  readonly instead: string

  constructor(message: string, instead: string, at: Position) {
    super(message)
    this.at = at
    this.instead = instead
  }
}

const MOST_ROUNDS = 1_000

export class ExecutingBuilder extends GraphBuilder {
  /** The values of all columns touched so far, cell by cell. */
  readonly state = new Map<ColumnId, number[]>()
  /** Columns whose values mattered. */
  readonly read = new Set<ColumnId>()
  private readonly initial: (column: ColumnId) => readonly number[]
  private readonly rangeOf: (column: ColumnId) => { readonly name: string; readonly lo: number; readonly hi: number }
  private readonly values: number[] = []
  /** Where a jump under way leads to. */
  private leaving: Label | undefined
  private ended = false

  /** `initial` gives the values a column begins with, more of them once more objects are known; `rangeOf` what it may hold. */
  constructor(initial: ExecutingBuilder['initial'], rangeOf: ExecutingBuilder['rangeOf']) {
    super()
    this.initial = initial
    this.rangeOf = rangeOf
  }

  override get reachable(): boolean {
    return !this.ended && this.leaving === undefined
  }

  override get executing(): boolean {
    return true
  }

  override decide(cond: Expr): number {
    return this.evaluate(cond)
  }

  override emit(node: NewNode): void {
    if (!this.reachable) return
    switch (node.op) {
      case 'assign':
        this.values[node.dst] = this.evaluate(node.value)
        return
      case 'load':
        node.places.forEach(({ column, index }, i) => {
          this.values[node.dsts[i]] = this.cell(column, this.evaluate(index))
        })
        return
      case 'store': {
        const values = node.values.map((value) => this.evaluate(value))
        node.places.forEach(({ column, index }, i) => {
          const at = this.evaluate(index)
          this.cell(column, at)
          const { name, lo, hi } = this.rangeOf(column)
          if (values[i] < lo || values[i] > hi)
            throw new SetUpFailed(`the set-up stores ${values[i]} in ${name}, which holds ${lo} to ${hi}`, 'a smaller world, or a wider Int', node.at)
          ;(this.state.get(column) as number[])[at] = values[i]
        })
        return
      }
      case 'step':
        if (node.guard && this.evaluate(node.guard.cond) === 0)
          throw new SetUpFailed('the set-up waits here for ever', 'a set-up that no other thread needs to help', node.at)
        return
      case 'choose':
        throw new SetUpFailed('the set-up makes a choice', 'a set-up without choose() and may_fail()', node.at)
      case 'check':
        return
      case 'end':
        this.ended = true
    }
  }

  override inOneStep<T>(step: Pick<Extract<Node, { op: 'step' }>, 'at' | 'guard'>, body: () => T): T {
    this.emit({ op: 'step', ...step })
    return body()
  }

  override branch(_at: Position, cond: Expr, then: () => void, otherwise: () => void): void {
    if (!this.reachable) return
    if (this.evaluate(cond) !== 0) then()
    else otherwise()
  }

  override bind(label: Label): void {
    if (this.leaving === label) this.leaving = undefined
  }

  override repeat(label: Label, body: () => void): void {
    for (let rounds = 0; this.reachable; rounds++) {
      if (rounds > MOST_ROUNDS) throw new RangeError('the set-up does not end')
      body()
      if (this.leaving !== label) return
      this.leaving = undefined
    }
  }

  override jump(label: Label): void {
    if (this.reachable) this.leaving = label
  }

  private cell(column: ColumnId, index: number): number {
    this.read.add(column)
    let values = this.state.get(column)
    if (!values || index >= values.length) {
      const initial = this.initial(column)
      values = initial.map((value, i) => values?.[i] ?? value)
      this.state.set(column, values)
    }
    return values[index] ?? 0
  }

  private evaluate(expr: Expr): number {
    switch (expr.e) {
      case 'const':
        return expr.value
      case 'local':
        return this.values[expr.local] ?? 0
      case 'load':
        return this.cell(expr.place.column, this.evaluate(expr.place.index))
      case 'not':
        return this.evaluate(expr.a) === 0 ? 1 : 0
      case 'neg':
        return -this.evaluate(expr.a) | 0
      case 'cond':
        return this.evaluate(expr.c) !== 0 ? this.evaluate(expr.a) : this.evaluate(expr.b)
      case 'bin':
        if (expr.op === '&&') return this.evaluate(expr.a) !== 0 && this.evaluate(expr.b) !== 0 ? 1 : 0
        if (expr.op === '||') return this.evaluate(expr.a) !== 0 || this.evaluate(expr.b) !== 0 ? 1 : 0
        return applyBinary(expr.op, this.evaluate(expr.a), this.evaluate(expr.b))
    }
  }
}
