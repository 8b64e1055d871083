/** Generated code, and instances of it with the memory they work on. */
import type { Program } from '../ir/program.ts'
import { generate } from './codegen.ts'
import { instantiateJs, javascript } from './emit-js.ts'
import { compileWasm, instantiateWasm } from './emit-wasm.ts'
import type { Layout } from './layout.ts'
import type { Workspace } from './workspace.ts'

export type Backend = 'js' | 'wasm'

/** A program's code, to be made once and run by any thread. */
export interface Code {
  readonly layout: Layout
  readonly workspace: Workspace
  /** JavaScript text, or a compiled WebAssembly module. */
  readonly compiled: string | object
}

/** Generates and compiles a program's code. */
export function compile(program: Program, layout: Layout, backend: Backend): Code {
  const { module, workspace } = generate(program, layout)
  return { layout, workspace, compiled: backend === 'js' ? javascript(module) : compileWasm(module) }
}

export class Runner {
  readonly layout: Layout
  readonly workspace: Workspace
  /** Sources are put at `workspace.source`, records come out at `workspace.out`. */
  readonly memory: Int32Array
  private readonly expand: (count: number) => number

  constructor({ layout, workspace, compiled }: Code) {
    this.layout = layout
    this.workspace = workspace
    if (typeof compiled === 'string') {
      this.memory = new Int32Array(workspace.words)
      this.expand = instantiateJs(compiled, this.memory)
    } else {
      const { memory, expand } = instantiateWasm(compiled, workspace.words)
      this.memory = memory
      this.expand = expand
    }
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

  get hungCount(): number {
    return this.memory[this.workspace.hung]
  }

  /** Position of a hung source in memory. */
  hungAt(i: number): number {
    return this.workspace.source + this.memory[this.workspace.hung + 1 + i] * this.layout.words
  }
}
