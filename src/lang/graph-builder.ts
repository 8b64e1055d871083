/** Builds one thread's control-flow graph while its source is walked: nodes are appended, open ends are joined. */
import type { Expr, Local, LocalId, Node, NodeId, Position } from '../ir/program.ts'
import type { ScalarType } from './value-type.ts'

/** An edge whose target is not known yet. */
type OpenEnd = (target: NodeId) => void

/** A place to jump to, known or not. */
export interface Label {
  target?: NodeId
  readonly waiting: OpenEnd[]
}

export interface LocalDraft {
  readonly name: string
  /** Widened while values are assigned, for locals whose type is inferred. */
  type: ScalarType
  readonly mutable: boolean
}

/** `next` fields are filled in later, so drafts are writable. */
type Draft = { -readonly [K in keyof Node]: Node[K] } & Record<string, unknown>
type WithoutNext<N> = N extends { readonly next: NodeId } ? Omit<N, 'next'> : N
/** A node as the lowering gives it: where it leads is decided by what comes next. */
export type NewNode = WithoutNext<Exclude<Node, { op: 'branch' }>>

export class GraphBuilder {
  readonly nodes: Node[] = []
  readonly locals: LocalDraft[] = []
  entry: NodeId = 0
  /** At first the way in: what comes next is where the thread begins. */
  private ends: OpenEnd[] = [
    (target) => {
      this.entry = target
    },
  ]
  private labelsHere: Label[] = []

  /** The code is executed while it is walked, once: what is walked is what happens. */
  get executing(): boolean {
    return false
  }

  /** A condition's value, where it is known while the source is walked. */
  decide(_cond: Expr): number | undefined {
    return undefined
  }

  /** True if the code that comes next can be reached. */
  get reachable(): boolean {
    return this.ends.length > 0 || this.labelsHere.some((label) => label.waiting.length > 0)
  }

  newLocal(name: string, type: ScalarType, mutable = false): LocalId {
    this.locals.push({ name, type, mutable })
    return this.locals.length - 1
  }

  emit(node: NewNode): void {
    if (!this.reachable) return
    const id = this.append(node)
    if (node.op !== 'end') {
      this.ends = [
        (target) => {
          ;(this.nodes[id] as unknown as Draft).next = target
        },
      ]
    }
  }

  /** Emits a step whose own nodes the callback emits. */
  inOneStep<T>(step: Pick<Extract<Node, { op: 'step' }>, 'at' | 'guard'>, body: () => T): T {
    const reachable = this.reachable
    const id = this.nodes.length
    this.emit({ op: 'step', ...step })
    const result = body()
    if (reachable) (this.nodes[id] as unknown as Draft).until = this.nodes.length
    return result
  }

  /** A two-way branch; the two bodies are emitted by the callbacks and joined after. */
  branch(at: Position, cond: Extract<Node, { op: 'branch' }>['cond'], then: () => void, otherwise: () => void): void {
    if (!this.reachable) return
    const id = this.append({ op: 'branch', at, cond })
    const draft = this.nodes[id] as unknown as Draft
    this.ends = [(target) => (draft.then = target)]
    then()
    // A label bound at the end of `then` joins what follows the whole branch.
    const thenEnds = this.takeEnds()
    this.ends = [(target) => (draft.else = target)]
    otherwise()
    this.ends = [...thenEnds, ...this.takeEnds()]
  }

  /** The next node emitted is where the label points. */
  bind(label: Label): void {
    this.labelsHere.push(label)
  }

  /** A loop: `label` is its top, to which the body jumps for another round. */
  repeat(label: Label, body: () => void): void {
    this.bind(label)
    body()
  }

  /** Ends the current path with a jump. */
  jump(label: Label): void {
    const ends = this.takeEnds()
    if (label.target !== undefined) for (const end of ends) end(label.target)
    else label.waiting.push(...ends)
    this.ends = []
  }

  private takeEnds(): OpenEnd[] {
    const ends = this.ends
    // A label bound but not yet resolved is reached by whatever comes next: turn it into open ends.
    for (const label of this.labelsHere) ends.push((target) => this.resolve(label, target))
    this.labelsHere = []
    this.ends = []
    return ends
  }

  private append(node: object): NodeId {
    const id = this.nodes.length
    this.nodes.push(node as Node)
    for (const end of this.ends) end(id)
    for (const label of this.labelsHere) this.resolve(label, id)
    this.labelsHere = []
    this.ends = []
    return id
  }

  private resolve(label: Label, target: NodeId): void {
    label.target = target
    for (const end of label.waiting) end(target)
    label.waiting.length = 0
  }
}

export function newLabel(): Label {
  return { waiting: [] }
}

/** Drafts to locals, once every range is known. */
export function finishLocals(drafts: readonly LocalDraft[], finish: (draft: LocalDraft) => Local): Local[] {
  return drafts.map(finish)
}
