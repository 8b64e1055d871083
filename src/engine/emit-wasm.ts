/** Writes machine code as WebAssembly. */
import type { Command, Functions, MachineFunction, MachineModule, Operator, Value } from './machine.ts'
import { MOST_PAGES, type SearchMemory } from './search-memory.ts'
import { WasmBytes } from './wasm-bytes.ts'

/** What is used of the global: its types come with the DOM's, which this project does without. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** A memory that threads share, with a limit. */
const SHARED = 0x03
const I32 = 0x7f
const VOID = 0x40
const [BLOCK, LOOP, IF, ELSE, END, BR, BR_TABLE, RETURN, CALL] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0e, 0x0f, 0x10]
const [LOCAL_GET, LOCAL_SET, LOAD, STORE, CONST, EQZ] = [0x20, 0x21, 0x28, 0x36, 0x41, 0x45]
const OPERATION: Readonly<Record<Exclude<Operator, '/' | '%'>, number>> = {
  '==': 0x46,
  '!=': 0x47,
  '<': 0x48,
  '>': 0x4a,
  '<=': 0x4c,
  '>=': 0x4e,
  '+': 0x6a,
  '-': 0x6b,
  '*': 0x6c,
  '&': 0x71,
  '|': 0x72,
  '^': 0x73,
  '<<': 0x74,
  '>>': 0x75,
  '>>>': 0x76,
}

/** Compiles a module. The result can be sent to other threads, which then share the machine code. */
export function compileWasm(module: MachineModule): object {
  return new WebAssembly.Module(webAssembly(module))
}

/** Gives a compiled module a memory to work on. */
export function instantiateWasm(compiled: object, memory: SearchMemory): Functions {
  return new WebAssembly.Instance(compiled, { e: { m: memory.wasm } }).exports as Functions
}

/** The bytes of a module: imports memory `e.m`. */
export function webAssembly(module: MachineModule): Uint8Array<ArrayBuffer> {
  const functions = [helper('div', 0x6d), helper('rem', 0x6f), ...module.functions]
  const arities = [...new Set(functions.map((f) => f.params))]
  const index = new Map(functions.map((f, i) => [f.name, i]))
  const bytes = new WasmBytes()
  bytes.raw(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  const section = <T>(id: number, items: readonly T[], write: (item: T) => void): void => {
    bytes.byte(id)
    bytes.sized(() => bytes.vector(items, write))
  }
  const integer = (): void => bytes.byte(I32)
  section(1, arities, (params) => {
    bytes.byte(0x60)
    bytes.vector(Array.from({ length: params }), integer)
    bytes.vector([0], integer)
  })
  section(2, [MOST_PAGES], (most) => {
    bytes.name('e')
    bytes.name('m')
    bytes.raw(0x02, SHARED)
    bytes.unsigned(0)
    bytes.unsigned(most)
  })
  section(3, functions, (f) => bytes.unsigned(arities.indexOf(f.params)))
  section(7, module.exports, (exported) => {
    bytes.name(exported)
    bytes.byte(0x00)
    bytes.unsigned(index.get(exported) as number)
  })
  const writer = new Writer(index, bytes)
  section(10, functions, (f) =>
    bytes.sized(() => {
      bytes.vector(f.vars > f.params ? [f.vars - f.params] : [], (count) => {
        bytes.unsigned(count)
        integer()
      })
      if ('code' in f) bytes.raw(...f.code)
      else writer.write(f)
      bytes.byte(END)
    }),
  )
  return bytes.done()
}

/** `div` and `rem`: 0 for a divisor of 0, and no trap for the one quotient that is out of range. */
function helper(called: 'div' | 'rem', operation: number): { name: string; params: number; vars: number; code: number[] } {
  const minus = called === 'div' ? [CONST, 0, LOCAL_GET, 0, OPERATION['-']] : [CONST, 0]
  const divide = [LOCAL_GET, 0, LOCAL_GET, 1, operation]
  const unlessMinusOne = [LOCAL_GET, 1, CONST, 0x7f, OPERATION['=='], IF, I32, ...minus, ELSE, ...divide, END]
  return { name: called, params: 2, vars: 2, code: [LOCAL_GET, 1, EQZ, IF, I32, CONST, 0, ELSE, ...unlessMinusOne, END] }
}

class Writer {
  private readonly functions: ReadonlyMap<string, number>
  private readonly out: WasmBytes
  /** Labels of the constructs around the place being written; unnamed ones are -1. */
  private readonly around: number[] = []

  constructor(functions: ReadonlyMap<string, number>, out: WasmBytes) {
    this.functions = functions
    this.out = out
  }

  write(f: MachineFunction): void {
    this.body(f.body)
    this.out.raw(CONST, 0)
  }

  private body(commands: readonly Command[]): void {
    for (const command of commands) this.command(command)
  }

  private command(c: Command): void {
    const { out } = this
    switch (c.k) {
      case 'set':
        this.value(c.value)
        out.byte(LOCAL_SET)
        out.unsigned(c.to)
        return
      case 'store':
        this.address(c.at)
        this.value(c.value)
        out.raw(STORE, 2)
        out.unsigned(c.offset * 4)
        return
      case 'if':
        this.value(c.c)
        out.raw(IF, VOID)
        this.around.push(-1)
        this.body(c.then)
        if (c.else.length > 0) {
          out.byte(ELSE)
          this.body(c.else)
        }
        this.close()
        return
      case 'block':
      case 'loop':
        out.raw(c.k === 'block' ? BLOCK : LOOP, VOID)
        this.around.push(c.label)
        this.body(c.body)
        this.close()
        return
      case 'leave':
      case 'again':
        out.byte(BR)
        out.unsigned(this.around.length - 1 - this.around.lastIndexOf(c.label))
        return
      case 'switch':
        this.switch(c.on, c.cases)
        return
      case 'return':
        this.value(c.value)
        out.byte(RETURN)
    }
  }

  /** One block a case inside one for all: the table leads to the end of the case's own block, where its code stands. */
  private switch(on: Value, cases: readonly (readonly Command[])[]): void {
    for (let i = 0; i <= cases.length; i++) {
      this.out.raw(BLOCK, VOID)
      this.around.push(-1)
    }
    this.value(on)
    this.out.byte(BR_TABLE)
    this.out.vector([...cases.keys()], (i) => this.out.unsigned(i))
    this.out.unsigned(cases.length)
    cases.forEach((one, i) => {
      this.close()
      this.body(one)
      this.out.byte(BR)
      this.out.unsigned(cases.length - 1 - i)
    })
    this.close()
  }

  private close(): void {
    this.around.pop()
    this.out.byte(END)
  }

  private address(at: Value): void {
    if (at.k === 'const') {
      this.out.byte(CONST)
      this.out.signed(at.value * 4)
      return
    }
    this.value(at)
    this.out.raw(CONST, 2, OPERATION['<<'])
  }

  private value(v: Value): void {
    const { out } = this
    switch (v.k) {
      case 'const':
        out.byte(CONST)
        out.signed(v.value)
        return
      case 'get':
        out.byte(LOCAL_GET)
        out.unsigned(v.from)
        return
      case 'word':
        this.address(v.at)
        out.raw(LOAD, 2)
        out.unsigned(v.offset * 4)
        return
      case 'call':
        for (const arg of v.args) this.value(arg)
        out.byte(CALL)
        out.unsigned(this.functions.get(v.to) as number)
        return
      case 'cond':
        this.value(v.c)
        out.raw(IF, I32)
        this.around.push(-1)
        this.value(v.a)
        out.byte(ELSE)
        this.value(v.b)
        this.close()
        return
      case 'bin':
        this.value(v.a)
        if (v.op === '==' && v.b.k === 'const' && v.b.value === 0) {
          out.byte(EQZ)
          return
        }
        this.value(v.b)
        if (v.op === '/' || v.op === '%') {
          out.byte(CALL)
          out.unsigned(this.functions.get(v.op === '/' ? 'div' : 'rem') as number)
        } else out.byte(OPERATION[v.op])
    }
  }
}
