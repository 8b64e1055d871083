/**
 * The intermediate representation: a closed transition system, made by `lang` from a scenario and a kernel,
 * read by the interpreter, the explorer, the exporters and the reports.
 *
 * A program is a set of *columns* (shared state), and one control-flow graph a thread. All values are small
 * integers. There are no calls: every modelled function was inlined, and each node remembers its call stack.
 *
 * **State.** A state is a vector of integers: every cell of every column, then for each thread its program counter
 * (a node, or `DONE`) and its locals. Locals that are dead at the program counter are 0, so that two states are equal
 * exactly when their futures are.
 *
 * **Transition.** A transition starts at the thread's program counter and runs nodes in order. It ends *before* a node
 * that would be a second access: precisely, before executing node n it stops if
 *   - n is a `choose` (unless `attached`), or a `step` with a guard, and any access has been made in this transition; or
 *   - n is a `step` with a guard, and n is not the first node of the transition (the choice is then a step of its own); or
 *   - n is another access (`isAccess(n)`) and an access has been made in this transition.
 * It also stops at `end` (the thread is done). A transition that begins at a guarded step whose guard is false does not
 * exist: the thread is blocked. A `choose` makes one transition for each value. A `check` that fails adds its violation
 * and, if the check ends the path, the transition leads nowhere.
 */

/** Index into `Program.columns`. */
export type ColumnId = number
/** Index into `Thread.locals`. */
export type LocalId = number
/** Index into `Thread.nodes`. */
export type NodeId = number
/** Index into `Program.checks`. */
export type CheckId = number

/** How a value is shown to a person. References are stored as index + 1, null as 0. */
export type Display =
  | { readonly kind: 'int' }
  | { readonly kind: 'bool' }
  /** A page count: `bias` in the model stands for GUP_PIN_COUNTING_BIAS (1024) in the kernel. */
  | { readonly kind: 'count'; readonly bias: number }
  | { readonly kind: 'enum'; readonly members: readonly string[] }
  /** `objects[i]` is the name of the object with stored value i + 1. */
  | { readonly kind: 'ref'; readonly objects: readonly string[] }
  | { readonly kind: 'thread' }

export interface Column {
  /** Field name, dotted for embedded structures: `lock.owner`. */
  readonly field: string
  /** The structure's name: `Page`. */
  readonly struct: string
  /** One name a cell: `page._refcount`, `pages[1].lock.owner`. */
  readonly cells: readonly string[]
  /** Inclusive range of every cell. */
  readonly lo: number
  readonly hi: number
  readonly display: Display
  /** Ghost columns are read by properties, checks and reports only. */
  readonly ghost: boolean
  /** Initial values, after the scenario's set-up; same length as `cells`. */
  readonly init: readonly number[]
  /** The cell's column in words of the model that hold several values (a PTE): columns with the same `word` are read and written together. */
  readonly word?: string
}

/** `columns[column].cells[index]`; the index is checked before (see `check` nodes), never out of bounds. */
export interface Place {
  readonly column: ColumnId
  readonly index: Expr
}

export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>' | '<' | '<=' | '>' | '>=' | '==' | '!=' | '&&' | '||'

/** A pure expression. Comparisons and logic give 0 or 1; `&&`, `||` and `cond` evaluate lazily. All arithmetic is 32-bit integer. */
export type Expr =
  | { readonly e: 'const'; readonly value: number }
  | { readonly e: 'local'; readonly local: LocalId }
  /** A read of shared state: only in guards, in properties and inside a step that has already been counted as an access. */
  | { readonly e: 'load'; readonly place: Place }
  | { readonly e: 'not' | 'neg'; readonly a: Expr }
  | { readonly e: 'bin'; readonly op: BinaryOp; readonly a: Expr; readonly b: Expr }
  | { readonly e: 'cond'; readonly c: Expr; readonly a: Expr; readonly b: Expr }

/** Where a node comes from. */
export interface Position {
  /** Path as given to the compiler, relative to the package for its own models: `kernel/mm/swap.ts`. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** The statement as written, on one line, shortened. */
  readonly text: string
  /** Modelled functions being executed, outermost first; the last one contains this node. */
  readonly stack: readonly Frame[]
  /** Primitives of the model (spin_lock, page_ref_inc) that the node is inside of; their calls are the position. */
  readonly primitives?: readonly string[]
}

export interface Frame {
  readonly name: string
  readonly file: string
  /** The line of the call in the caller; 0 for the outermost. */
  readonly calledAt: number
}

interface NodeBase {
  readonly at: Position
  /** Executing this node returns from one of the thread's top-level operations: progress, for livelock. `end` always is. */
  readonly progress?: boolean
}

export type Node =
  /** dst := value. Not an access. */
  | (NodeBase & { readonly op: 'assign'; readonly dst: LocalId; readonly value: Expr; readonly next: NodeId })
  /** One read of shared memory, of one word (several columns when the word holds several values). */
  | (NodeBase & { readonly op: 'load'; readonly dsts: readonly LocalId[]; readonly places: readonly Place[]; readonly access: boolean; readonly next: NodeId })
  /** One write of shared memory. All values are evaluated before any cell is written. */
  | (NodeBase & { readonly op: 'store'; readonly places: readonly Place[]; readonly values: readonly Expr[]; readonly access: boolean; readonly next: NodeId })
  /** The beginning of an atomic operation (an access), or of a blocking one if it has a guard. What follows with `access: false` belongs to it. */
  | (NodeBase & {
      readonly op: 'step'
      readonly guard?: Guard
      /** The nodes from here up to this one (exclusive) are the step's own. Absent: a step of its own that touches nothing. */
      readonly until?: NodeId
      readonly next: NodeId
    })
  | (NodeBase & { readonly op: 'branch'; readonly cond: Expr; readonly then: NodeId; readonly else: NodeId })
  /**
   * dst := any of 0 .. count - 1. With `failure`, value 1 is an injected failure (`may_fail`).
   * `attached`: inside an atomic step; it belongs to the access before it and never ends a transition.
   */
  | (NodeBase & {
      readonly op: 'choose'
      readonly dst: LocalId
      readonly count: number
      readonly failure: boolean
      readonly attached: boolean
      readonly next: NodeId
    })
  /** Violation if `fails` is true; if the check is `fatal` the path ends there. */
  | (NodeBase & { readonly op: 'check'; readonly check: CheckId; readonly fails: Expr; readonly next: NodeId })
  | (NodeBase & { readonly op: 'end' })

/** A condition without which the step cannot be taken, and what a hang there means. */
export interface Guard {
  readonly cond: Expr
  /** For a lock: the thread (index + 1, 0 if unknown) that must move before this one can. */
  readonly waitsFor?: Expr
  /** For a sleep on a wait queue: what the sleeper waits for. True while nobody can move means a lost wake. */
  readonly sleepsUntil?: Expr
  /** How it is called in a report: `spin_lock(mm.ptl)`. */
  readonly what: string
}

export interface Local {
  /** `function.variable`, shown to a person. */
  readonly name: string
  readonly lo: number
  readonly hi: number
  readonly display: Display
}

export interface Thread {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly entry: NodeId
  readonly locals: readonly Local[]
  /** Threads with the same number run the same code on the same arguments, and may be exchanged. */
  readonly symmetry: number
}

export type CheckKind =
  | 'warn'
  | 'bug'
  | 'use-after-free'
  | 'ledger'
  | 'race'
  | 'range'
  | 'deadlock'
  | 'lost-wake'
  | 'sleeps'
  | 'livelock'
  | 'always'
  | 'finally'
  | 'eventually'

export interface Check {
  readonly kind: CheckKind
  /** Stable, readable, unique in the program: `warn:try_get_page:WARN_ON_ONCE(page_ref_count(page) <= 0)`. */
  readonly id: string
  /** The property's or the kernel check's own name. */
  readonly name: string
  /** One sentence: what went wrong. */
  readonly message: string
  /** The path ends when it fails (bug, use after free, out of range). */
  readonly fatal: boolean
}

/** A state property of the scenario; `cond` reads shared state (and, as `thread ended`, nothing else). */
export interface Property {
  readonly name: string
  readonly cond: Expr
  readonly at: Position
}

export interface Properties {
  /** Holds in every reachable state. `check` indexes `Program.checks`. */
  readonly always: readonly (Property & { readonly check: CheckId })[]
  /** Holds in every state in which all threads have ended. */
  readonly finally: readonly (Property & { readonly check: CheckId })[]
  /** Becomes true at least once on every maximal fair path. `seen` is the ghost column that remembers it: set after each transition. */
  readonly eventually: readonly (Property & { readonly check: CheckId; readonly seen: ColumnId })[]
  /** Is true in at least one reachable state, unless `exempt` says why this kernel cannot get there. */
  readonly sometimes: readonly (Property & { readonly exempt?: string })[]
}

export interface Program {
  readonly scenario: string
  readonly about: string
  /** What the scenario bounds, in words: `2 threads, 1 page, at most 2 pins`. */
  readonly bounds: string
  readonly kernel: string
  /** Switches added to or taken from the kernel's preset: `+name`, `-name`. */
  readonly changes: readonly string[]
  /** Hash of everything that determines behaviour; a saved counterexample names it. */
  readonly hash: string
  readonly columns: readonly Column[]
  readonly threads: readonly Thread[]
  readonly checks: readonly Check[]
  readonly properties: Properties
  /** Values of cells that are no state, because no thread writes or reads them, as a person reads them: `page.type` is `fsdax`. For reports. */
  readonly constants?: Readonly<Record<string, string>>
  /** Columns accessed only under their guard lock and never marked lockless: may be fused at grain `lock`. Race checks still verify it. */
  readonly guarded: readonly ColumnId[]
  /** Columns that are inputs, by name: the same for ever, and whether they were read is told by a search. */
  readonly inputs?: readonly { readonly name: string; readonly column: ColumnId }[]
  /** Switches whose values this program follows from: with any other values of the rest it would behave the same. Absent: not known. */
  readonly switchesRead?: readonly string[]
}

/** True if executing the node counts as an access to shared state. */
export function isAccess(node: Node): boolean {
  return node.op === 'step' || ((node.op === 'load' || node.op === 'store') && node.access)
}

/** Closes a switch over a union: the compiler refuses a forgotten case. */
export function unreachable(value: never): never {
  throw new Error(`[putpage internal bug] unexpected ${JSON.stringify(value)}`)
}
