/** Which statements of the model are steps of the kernel's protocol, and of what kind. */
import ts = require('typescript')

export type StepClass = 'refcount' | 'lock' | 'wake' | 'page-table' | 'pgmap'

/** Files of primitives: what stands in them is of one kind. */
const FILES: readonly (readonly [RegExp, StepClass])[] = [
  [/page_ref\.ts$/, 'refcount'],
  [/percpu-refcount\.ts$/, 'pgmap'],
  [/wait_bit\.ts$/, 'wake'],
  [/(spinlock|rwsem|rcupdate|mutex|seqlock|kernfs\w*)\.ts$/, 'lock'],
]

/** Functions by the words of their names; the first that fits. */
const FUNCTIONS: readonly (readonly [RegExp, StepClass])[] = [
  [/percpu_ref|pgmap|memunmap|memremap/, 'pgmap'],
  [/wake|wait|sleep|schedule|complet|block_until/, 'wake'],
  [/spin_|mutex_|rcu|lock|down_|up_read|up_write|irq|seqcount|kernfs_(get|put)_active/, 'lock'],
  [/rmap|pte|pmd|zap|tlb|ipi|unmap|insert|collect|migration_entries|mkclean|entry|entries/, 'page-table'],
  [/page_ref|get_page|put|get|free|release|refcount|set_page_count|charge|uncharge|pin|finalize|alloc/, 'refcount'],
]

const FIELDS: readonly (readonly [RegExp, StepClass])[] = [
  [/_refcount$|\.frozen$/, 'refcount'],
  [/\.(owner|readers|place\[.*\]|irqs_off\[.*\]|reading\[.*\]|awaited\[.*\]|write_protect_seq)$/, 'lock'],
  [/\.(waiting|flushed_by_ipi)\[.*\]$/, 'wake'],
  [/\.(pte|pmd|_mapcount|entries\[.*\]|linked)$/, 'page-table'],
  [/\.(pgmap|ref_set|percpu_count|ops)$|pgmap_array\.entry$/, 'pgmap'],
]

/** The model's own bookkeeping: no kernel has it. */
const BOOKKEEPING = new Set(['hold', 'unhold', 'hand_over', 'lose_all', 'hold_in_setup', 'ghost', 'ledger', 'expect', 'retire', 'revive', 'step', 'barrier'])
const CHECKS = /^(VM_)?(WARN|BUG)_ON/

/** True for functions whose body is bookkeeping or a check. */
export function isBookkeeping(name: string): boolean {
  return BOOKKEEPING.has(name) || CHECKS.test(name)
}

/** The kind of a call by the function's name. */
export function classOfCall(file: string, name: string): StepClass | undefined {
  if (isBookkeeping(name) || name === 'atomic') return undefined
  return FILES.find(([pattern]) => pattern.test(file))?.[1] ?? FUNCTIONS.find(([pattern]) => pattern.test(name))?.[1]
}

/** The kind of a statement, if it is a step by itself: a call, or a store to a field. */
export function classOf(file: string, statement: ts.Statement): StepClass | undefined {
  if (!ts.isExpressionStatement(statement)) return undefined
  const { expression } = statement
  if (ts.isCallExpression(expression) && ts.isIdentifier(expression.expression)) return classOfCall(file, expression.expression.text)
  if (!ts.isBinaryExpression(expression) || ts.isIdentifier(expression.left)) return undefined
  const target = expression.left.getText()
  return FILES.find(([pattern]) => pattern.test(file))?.[1] ?? FIELDS.find(([pattern]) => pattern.test(target))?.[1]
}
