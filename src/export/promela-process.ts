/** One thread as a Promela process: an atomic block for each program counter it can stand at. */
import type { CheckId, Expr, NodeId, Program } from '../ir/program.ts'
import { and, type Doom, doomOf, not } from './precondition.ts'
import { printExpr, printPlace, readsMemory } from './promela-expression.ts'
import { type Names, promelaType, type Scope } from './promela-names.ts'
import type { ThreadVariables, Variable, VariableId } from './promela-variables.ts'
import { noticed, reported, type Watch } from './promela-watch.ts'
import { zeroing } from './promela-zeroing.ts'
import { type Item, meetingPoints, type Target, type TransitionGraph } from './transition-graph.ts'

export interface ProcessOptions {
  readonly names: Names
  readonly variables: ThreadVariables
  /** The checks whose failure is to be seen. */
  readonly watch: Watch
  /** Every failed fatal check goes to `end_dead`, none is made a precondition. */
  readonly alwaysSink: boolean
  /** Some process can set `dead`: this one must stop when it does. */
  readonly sinks: boolean
  /** `after_step()` is defined: it follows every transition. */
  readonly afterStep: boolean
  /** `ended` counts the threads that have ended. */
  readonly countEnded: boolean
}

export interface Process {
  readonly text: string
  /** Some fatal check could not be made a precondition: the process can set `dead`. */
  readonly sinks: boolean
  /** Program counters, in the order of the text. */
  readonly stops: readonly NodeId[]
  /** How many scratch variables it uses. */
  readonly scratch: number
  /** Declarations of the variables that no state holds. */
  readonly within: readonly string[]
}

interface Line {
  readonly depth: number
  readonly text: string
  /** The line is this label, wanted only if somebody jumps to it. */
  readonly label?: string
}

/** Gives the label of a program counter. All begin with `end_`: whether standing there for ever is wrong is not SPIN's to say. */
export function stopLabel(at: NodeId): string {
  return `end_pc${at}`
}

/** Gives how the expressions of a thread name columns and locals; of a property, with `thread` undefined. */
export function scopeOf(program: Program, names: Names, thread?: number, variables?: ThreadVariables): Scope {
  return {
    column: (id) => ({ name: names.columns[id], cells: program.columns[id].cells.length }),
    local(id) {
      if (thread === undefined || variables === undefined) throw new Error('[putpage internal bug] a property reads a local')
      return names.variables[thread][variables.of[id]]
    },
  }
}

/** Writes the process of one thread. */
export function promelaProcess(program: Program, index: number, options: ProcessOptions): Process {
  const thread = program.threads[index]
  const { variables } = options
  const { live, graphs } = variables
  const scope = scopeOf(program, options.names, index, variables)
  const nameOf = (variable: VariableId): string => options.names.variables[index][variable]
  let sinks = false
  let scratch = 0

  function block(graph: TransitionGraph): string {
    const doom = options.alwaysSink ? undefined : doomOf(program, graph, options.watch.checks)
    const meeting = meetingPoints(graph)
    const zero = zeroing(graph, variables)
    const lines: Line[] = []
    const wanted = new Set<string>()
    /** By what it does: the label of an end of the transition. */
    const ends = new Map<string, string>()
    const written = new Set<number>()
    const put = (depth: number, text: string): void => {
      lines.push({ depth, text })
    }

    function finish(depth: number, from: number, at: NodeId | undefined): void {
      const texts = zero.after(from, at).map((variable) => `${nameOf(variable)} = 0;`)
      if (at === undefined && options.countEnded) texts.push('ended = ended + 1;')
      if (options.afterStep) texts.push('after_step();')
      texts.push(`goto ${at === undefined ? 'end_done' : stopLabel(at)}`)
      const label = ends.get(texts.join()) ?? `out${graph.start}_${ends.size}`
      // Most ways end like another one: what more than one statement is needed for is written once.
      if (texts.length > 2 && ends.has(texts.join())) {
        wanted.add(label)
        put(depth, `goto ${label}`)
        return
      }
      ends.set(texts.join(), label)
      lines.push({ depth, text: `${label}: skip;`, label })
      for (const text of texts) put(depth, text)
    }

    function walk(first: Target, until: number | undefined, depth: number, before: number): void {
      for (let [target, from] = [first, before]; ; ) {
        if (target.kind !== 'item') {
          finish(depth, from, target.kind === 'stop' ? target.at : undefined)
          return
        }
        if (target.key === until) return
        const label = `in${graph.start}_${target.key}`
        if (written.has(target.key)) {
          wanted.add(label)
          put(depth, `goto ${label}`)
          return
        }
        written.add(target.key)
        lines.push({ depth, text: `${label}: skip;`, label })
        const item = graph.items.get(target.key) as Item
        from = item.key
        for (const variable of zero.before(item.key)) put(depth, `${nameOf(variable)} = 0;`)
        if (item.node.op !== 'branch') {
          statement(item, depth)
          target = item.next[0]
          continue
        }
        const meet = meeting.get(item.key)
        put(depth, 'if')
        side(printExpr(item.node.cond, scope), item, 0, meet, depth)
        side('else', item, 1, meet, depth)
        put(depth, meet === undefined ? 'fi' : 'fi;')
        if (meet === undefined) return
        target = { kind: 'item', key: meet }
      }
    }

    function side(condition: string, branch: Item, which: 0 | 1, meet: number | undefined, depth: number): void {
      put(depth, `:: ${condition} ->`)
      const before = lines.length
      walk(branch.next[which], meet, depth + 1, branch.key)
      if (lines.slice(before).every((line) => line.label !== undefined)) put(depth + 1, 'skip')
    }

    function statement({ key, node }: Item, depth: number): void {
      switch (node.op) {
        case 'assign':
          if (live.has(node.next, node.dst)) put(depth, `${scope.local(node.dst)} = ${printExpr(node.value, scope)};`)
          break
        case 'load': {
          const cells = node.places.map((place) => printPlace(place, scope))
          const targets = node.dsts.map((dst) => scope.local(dst))
          const direct = node.places.slice(1).every((place) => place.index.e === 'const')
          assign(depth, targets, direct ? cells : keep(depth, cells, 0))
          break
        }
        case 'store': {
          const values = node.values.map((value) => printExpr(value, scope))
          const independent = node.values.slice(1).every((value) => !readsMemory(value))
          // SPIN takes a write back by computing its index again, after the write: an index that reads memory is kept apart.
          const direct = node.places.every((place) => !readsMemory(place.index))
          const printed = node.places.map((place) => printExpr(place.index, scope))
          const indices = direct ? printed : keep(depth, printed, values.length)
          const targets = node.places.map((place, i) => printPlace(place, scope, indices[i]))
          assign(depth, targets, independent ? values : keep(depth, values, 0))
          break
        }
        case 'choose':
          put(depth, 'if')
          for (let value = 0; value < node.count; value++) {
            const permitted = not(doom?.choices.get(key)?.[value] ?? { e: 'const', value: 0 })
            const condition = permitted.e === 'const' && permitted.value !== 0 ? '' : `(${printExpr(permitted, scope)}) -> `
            put(depth, `:: ${condition}${scope.local(node.dst)} = ${value}`)
          }
          put(depth, 'fi;')
          break
        case 'check':
          failure(key, node.check, node.fails, doom === undefined && program.checks[node.check].fatal, depth)
          break
        case 'step':
        case 'branch':
        case 'end':
          break
      }
    }

    function assign(depth: number, targets: readonly string[], values: readonly string[]): void {
      for (const [i, target] of targets.entries()) put(depth, `${target} = ${values[i]};`)
    }

    /** Keeps values in scratch variables while what they depend on is written; gives their names. */
    function keep(depth: number, values: readonly string[], from: number): string[] {
      scratch = Math.max(scratch, from + values.length)
      const names = values.map((_, i) => `scratch_${from + i}`)
      assign(depth, names, values)
      return names
    }

    function failure(item: number, check: CheckId, fails: Expr, fatal: boolean, depth: number): void {
      const { watch } = options
      // After an assertion that failed nothing is looked at.
      if (fatal && !(watch.how === 'assert' && watch.checks.has(check))) sink(item, check, fails, depth)
      else for (const text of noticed(watch, check, printExpr(fails, scope))) put(depth, text)
    }

    function sink(item: number, check: CheckId, fails: Expr, depth: number): void {
      sinks = true
      put(depth, 'if')
      put(depth, `:: ${printExpr(fails, scope)} ->`)
      // Only what fails is read from a text that reports: its ends may differ.
      const zeroed = options.watch.how === 'report' ? [] : zero.after(item, undefined).map((variable) => `${nameOf(variable)} = 0;`)
      put(depth + 1, options.watch.how === 'report' ? `${reported(check)};` : 'forget();')
      for (const text of zeroed) put(depth + 1, text)
      put(depth + 1, `dead = ${index + 1};`)
      put(depth + 1, 'goto end_dead')
      put(depth, ':: else -> skip')
      put(depth, 'fi;')
    }

    const node = thread.nodes[graph.start]
    const entry = printEntry(node.op === 'step' ? node.guard?.cond : undefined, doom, scope)
    const title = `  /* ${inComment(`${node.at.stack.at(-1)?.name ?? thread.name}, ${node.at.file}:${node.at.line}: ${node.at.text}`)} */`
    const head = `${title}\n  ${stopLabel(graph.start)}: atomic {`
    if (entry === undefined) return `${title}\n  /* Every way from here ends the path at a failed check: no transition. */\n  ${stopLabel(graph.start)}: false;`
    walk({ kind: 'item', key: graph.entry }, undefined, 2, graph.entry)
    const kept = lines.filter((line) => line.label === undefined || wanted.has(line.label))
    const body = kept.map((line) => `${'  '.repeat(line.depth)}${line.text}`)
    // An atomic block with nothing but a jump in it would be no transition, and SPIN refuses one that begins with a label.
    const first = entry !== '' ? [`    ${entry};`] : kept.length === 1 || kept[0].label !== undefined ? ['    skip;'] : []
    return [head, ...first, ...body, '  };'].join('\n')
  }

  const blocks = graphs.map(block)
  const declarations = (held: boolean, before: string): string[] =>
    variables.list.flatMap((variable, id) => (variable.held === held ? [`${before}${declaration(variable, nameOf(id))}`] : []))
  // The process that died must still get from the assignment to its last label.
  const provided = options.sinks ? ` provided (!dead || dead == ${index + 1})` : ''
  const ends = options.sinks ? '  end_done: false;\n  end_dead: false' : '  end_done: false'
  const text = [`active proctype ${options.names.threads[index]}()${provided} {`, ...declarations(true, '  '), '', blocks.join('\n\n'), '', ends, '}'].join(
    '\n',
  )
  return { text, sinks, stops: graphs.map((graph) => graph.start), scratch, within: declarations(false, 'hidden ') }
}

function declaration({ lo, hi }: Variable, name: string): string {
  return `${promelaType(lo, hi)} ${name};`
}

/** The statement a transition begins with; '' if it can always begin, undefined if it never can. */
function printEntry(guard: Expr | undefined, doom: Doom | undefined, scope: Scope): string | undefined {
  const alive = not(doom?.start ?? { e: 'const', value: 0 })
  const entry = guard ? and(guard, alive) : alive
  if (entry.e === 'const') return entry.value === 0 ? undefined : ''
  return `(${printExpr(entry, scope)})`
}

/** Text that cannot end the comment it stands in, or be continued by C's preprocessor. */
export function inComment(text: string): string {
  return text
    .replace(/\*\//g, '* /')
    .replace(/\/\*/g, '/ *')
    .replace(/[\\\n\r]/g, ' ')
}
