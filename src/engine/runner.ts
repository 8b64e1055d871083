/** What makes successors: generated code or the interpreter, with the memory it works on. */
import type { Program } from '../ir/program.ts'
import { generate } from './codegen.ts'
import { type Backend, type Compiled, compileModule, instantiate, type Language } from './compiled.ts'
import { interpretedExpander, interpretedWorkspace } from './interpreted.ts'
import type { Layout } from './layout.ts'
import { SearchMemory } from './search-memory.ts'
import { type StoreCode, storeCode } from './store-code.ts'
import type { Workspace } from './workspace.ts'

/** A program's code, to be made once. */
export interface Code {
  readonly layout: Layout
  readonly workspace: Workspace
  /** What makes successors: generated code, or the interpreter of a program. */
  readonly maker: Compiled<'expand'> | { readonly interpreted: Program }
  /** The code of stores of such states. */
  readonly store: Compiled<StoreCode>
}

/** Generates and compiles a program's code; with `coverage` it notes the nodes it executes, which the interpreter does not. */
export function compile(program: Program, layout: Layout, backend: Backend, coverage = false): Code {
  if (backend === 'interpreter') {
    if (coverage) throw new Error('[putpage internal bug] the interpreter does not note coverage')
    return { layout, workspace: interpretedWorkspace(program, layout), maker: { interpreted: program }, store: compiledStore(layout.words, 'wasm') }
  }
  const { module, workspace } = generate(program, layout, coverage)
  return { layout, workspace, maker: compileModule(module, backend), store: compiledStore(layout.words, backend) }
}

const stores = new Map<string, Compiled<StoreCode>>()

function compiledStore(width: number, language: Language): Compiled<StoreCode> {
  const key = `${language} ${width}`
  const known = stores.get(key)
  if (known !== undefined) return known
  const compiled = compileModule(storeCode(width), language)
  stores.set(key, compiled)
  return compiled
}

export class Runner {
  readonly layout: Layout
  readonly workspace: Workspace
  /** Sources are put at `workspace.source`, records come out at `workspace.out`. */
  readonly memory: Int32Array
  private readonly expand: (count: number) => number

  /** Runs in the first words of a memory that has room for the workspace. */
  constructor({ layout, workspace, maker }: Code, memory: SearchMemory = SearchMemory.ofSize(workspace.words)) {
    this.layout = layout
    this.workspace = workspace
    this.memory = memory.words
    this.expand = 'interpreted' in maker ? interpretedExpander(maker.interpreted, layout, workspace, this.memory) : instantiate(maker, memory).expand
  }

  /** Expands the first `count` sources; gives the end of the records. Finding words keep what they had, the list of hung sources does not. */
  run(count: number): number {
    this.memory[this.workspace.hung] = 0
    return this.expand(count)
  }

  /** Forgets failed checks and satisfied `sometimes`. */
  clearFindings(): void {
    this.memory.fill(0, 0, this.workspace.hung)
  }

  /** By thread and node: 1 if the node was executed. Undefined unless the code notes it. */
  get taken(): Uint8Array[] | undefined {
    const { taken } = this.workspace
    return taken?.map((at, t) => Uint8Array.from(this.memory.subarray(at, taken[t + 1] ?? this.workspace.words)))
  }

  /** Paths ended by fatal checks since the last `clearFindings`. */
  get fatal(): number {
    return this.memory[this.workspace.fatal]
  }

  violated(check: number): boolean {
    return this.memory[this.workspace.violated + check] !== 0
  }

  reached(sometimes: number): boolean {
    return this.memory[this.workspace.sometimes + sometimes] !== 0
  }

  /** True once a thread has read the input. */
  inputRead(input: number): boolean {
    return this.memory[this.workspace.inputs + input] !== 0
  }

  get hungCount(): number {
    return this.memory[this.workspace.hung]
  }

  /** Position of a hung source in memory. */
  hungAt(i: number): number {
    return this.workspace.source + this.memory[this.workspace.hung + 1 + i] * this.layout.words
  }
}
