/** Machine code compiled for one of the two languages it can run in. Where no code is worth writing, the interpreter does its work. */
import { instantiateJs, javascript } from './emit-js.ts'
import { compileWasm, instantiateWasm } from './emit-wasm.ts'
import type { Functions, MachineModule } from './machine.ts'
import type { SearchMemory } from './search-memory.ts'

/** Languages that code is written in. */
export type Language = 'js' | 'wasm'
/** Who makes successors. */
export type Backend = Language | 'interpreter'

/** A module compiled once, to be run by any thread: JavaScript text, or a WebAssembly module. */
export type Compiled<Exports extends string> = { readonly exports: readonly Exports[]; readonly code: string | object }

/** Compiles a module. */
export function compileModule<Exports extends string>(module: MachineModule<Exports>, language: Language): Compiled<Exports> {
  return { exports: module.exports, code: language === 'js' ? javascript(module) : compileWasm(module) }
}

/** Gives a compiled module a memory to work on. */
export function instantiate<Exports extends string>({ code }: Compiled<Exports>, memory: SearchMemory): Functions<Exports> {
  return typeof code === 'string' ? instantiateJs(code, memory) : instantiateWasm(code, memory)
}
