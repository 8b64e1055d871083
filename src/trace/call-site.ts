/** From a kernel stack to the call of the model it stands for: which function was entered, and the path from there. */
import type { RoleAutomaton } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'

/** What a stack means to the model. */
export type CallSite =
  /**
   * In a call of `automaton.entry`; `path` are the frames that are modelled, outermost first, each with the functions it may be;
   * `innermost` is the name of the last of them.
   */
  | { readonly mapped: true; readonly automaton: RoleAutomaton; readonly path: readonly (readonly string[])[]; readonly innermost: string }
  /** `unmodelled`: nothing of the stack is modelled. `bare`: only who acts for its caller, and the caller is not modelled. */
  | { readonly mapped: false; readonly why: 'unmodelled' | 'bare' | 'no stack' }

/**
 * Where an interrupt or an exception begins: what is below it was interrupted, and has nothing to do with it. x86, arm64, riscv,
 * powerpc, s390, as the architectures' entry code names them.
 */
const BOUNDARY =
  /^(asm_(sysvec|exc|common|spurious|call)|common_interrupt$|el[01](h|t)?_|el1_|handle_exception$|interrupt_(return|entry)|.*_common_virt$|(ext|io|pgm|mcck)_(int|check)_handler$|irq_exit_rcu$|__irq_exit_rcu$)/

/** Frames of the activity that logged the event: `frames` are names, innermost first. */
export function activity(frames: readonly string[]): readonly string[] {
  const boundary = frames.findIndex((name) => BOUNDARY.test(name))
  return boundary < 0 ? frames : frames.slice(0, boundary)
}

/**
 * Finds the call. The outermost modelled function is the one entered, if the model can get from it to the frames within.
 * `bare`: functions that act for their caller may be the ones entered, too.
 */
export function callSite(book: RoleBook, type: string, frames: readonly string[], bare = false): CallSite {
  if (frames.length === 0) return { mapped: false, why: 'no stack' }
  const modelled = activity(frames).filter((frame) => book.named(frame).length > 0)
  const [innermost] = modelled
  const path = modelled.map((frame) => book.named(frame)).reverse()
  if (path.length === 0) return { mapped: false, why: 'unmodelled' }
  let first: CallSite | undefined
  // What is looked at by itself is, however deep it was called.
  const outermost = Math.max(
    0,
    path.findLastIndex((names) => names.some((name) => book.isRole(name))),
  )
  for (let from = outermost; from < path.length; from++) {
    for (const name of path[from]) {
      if (!bare && book.isReference(name)) continue
      const automaton = book.automaton(name, type)
      if (!automaton) continue
      const site: CallSite = { mapped: true, automaton, path: path.slice(from), innermost }
      if (connected(book, type, name, site.path)) return site
      first ??= site
    }
  }
  // The model knows a function of the stack, and nothing it does looks like this.
  return first ?? { mapped: false, why: 'bare' }
}

/** Whether the model can get from the function entered to each frame within, one after the other. */
function connected(book: RoleBook, type: string, entry: string, path: readonly (readonly string[])[]): boolean {
  let from: readonly string[] = [entry]
  for (const names of path.slice(1)) {
    const reached = names.filter((name) => from.some((outer) => outer === name || book.reaches(outer, name, type)))
    if (reached.length === 0) return false
    from = reached
  }
  return true
}

/**
 * Where the innermost frame stands in a chain of modelled functions, if the frames can be those of the chain: in its order, from
 * its first function on; -1 if not. Functions of the chain may be missing (inlined), and several frames may be one function of
 * the model.
 */
export function placeIn(path: readonly (readonly string[])[], chain: readonly string[]): number {
  let at = 0
  for (let i = 0; i < path.length; i++) {
    while (at < chain.length && !path[i].includes(chain[at])) {
      if (i === 0) return -1
      at++
    }
    if (at === chain.length) return -1
  }
  return at
}

/**
 * Which modelled functions a kernel's functions were seen to call, by their frames: there the compiler has not inlined them, so
 * their operations never appear without their frame.
 */
export class CallsSeen {
  private readonly calls = new Map<string, Set<string>>()
  /** Counts up whenever something new was seen. */
  version = 0

  /** `frames`: names, innermost first. */
  learn(book: RoleBook, frames: readonly string[]): void {
    const own = activity(frames)
    for (let outer = own.length - 1, inner = outer - 1; inner >= 0; inner--) {
      const names = book.named(own[inner])
      if (names.length === 0) continue
      let known = this.calls.get(own[outer])
      if (!known) {
        known = new Set()
        this.calls.set(own[outer], known)
      }
      for (const name of names)
        if (!known.has(name) && !book.named(own[outer]).includes(name)) {
          known.add(name)
          this.version++
        }
      outer = inner
    }
  }

  /** Whether a call of `callee` from the function of this frame has a frame of its own. */
  has(frame: string, callee: string): boolean {
    return this.calls.get(frame)?.has(callee) === true
  }
}
