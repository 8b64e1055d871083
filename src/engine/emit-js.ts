/** Writes machine code as JavaScript. */
import type { Command, Functions, MachineFunction, MachineModule, Value } from './machine.ts'
import type { SearchMemory } from './search-memory.ts'

/** Makes a module's functions over a memory from its text. */
export function instantiateJs(text: string, memory: SearchMemory): Functions {
  const { attach, ...functions } = new Function('m', text)(memory.words) as Functions & { attach(words: Int32Array): void }
  memory.onGrow(attach)
  return functions
}

/** The text of a module: the body of a function of `m` that returns its exports, and `attach` to give it other words. */
export function javascript(module: MachineModule): string {
  return [
    "'use strict'",
    'function div(a, b) { return b === 0 ? 0 : (a / b) | 0 }',
    'function rem(a, b) { return b === 0 ? 0 : (a % b) | 0 }',
    ...module.functions.map(writeFunction),
    `return { ${module.exports.join(', ')}, attach(words) { m = words } }`,
  ].join('\n')
}

function writeFunction(f: MachineFunction): string {
  const names = Array.from({ length: f.vars }, (_, v) => `v${v}`)
  const locals = names.slice(f.params).map((name) => `${name} = 0`)
  return [
    `function ${f.name}(${names.slice(0, f.params).join(', ')}) {`,
    ...names.slice(0, f.params).map((name) => `${name} = ${name} | 0`),
    ...(locals.length > 0 ? [`let ${locals.join(', ')}`] : []),
    ...f.body.map(command),
    'return 0 }',
  ].join('\n')
}

function body(commands: readonly Command[]): string {
  return commands.map(command).join('\n')
}

function command(c: Command): string {
  switch (c.k) {
    case 'set':
      return `v${c.to} = ${value(c.value)}`
    case 'store':
      return `m[${address(c.at, c.offset)}] = ${value(c.value)}`
    case 'if':
      return `if (${condition(c.c)}) {\n${body(c.then)}\n}${c.else.length > 0 ? ` else {\n${body(c.else)}\n}` : ''}`
    case 'block':
      return `b${c.label}: {\n${body(c.body)}\n}`
    case 'loop':
      return `b${c.label}: for (;;) {\n${body(c.body)}\nbreak\n}`
    case 'leave':
      return `break b${c.label}`
    case 'again':
      return `continue b${c.label}`
    case 'switch':
      return `switch (${value(c.on)}) {\n${c.cases.map((one, i) => `case ${i}: {\n${body(one)}\nbreak }`).join('\n')}\n}`
    case 'return':
      return `return ${value(c.value)}`
  }
}

function address(at: Value, offset: number): string {
  if (at.k === 'const') return String(at.value + offset)
  return offset === 0 ? value(at) : `${value(at)} + ${offset}`
}

function condition(v: Value): string {
  if (v.k === 'bin') {
    const op = comparison(v.op)
    if (op) return `${value(v.a)} ${op} ${value(v.b)}`
  }
  return `${value(v)} !== 0`
}

function comparison(op: string): string | undefined {
  if (op === '==') return '==='
  if (op === '!=') return '!=='
  return op === '<' || op === '<=' || op === '>' || op === '>=' ? op : undefined
}

function value(v: Value): string {
  switch (v.k) {
    case 'const':
      return v.value < 0 ? `(${v.value})` : String(v.value)
    case 'get':
      return `v${v.from}`
    case 'word':
      return `m[${address(v.at, v.offset)}]`
    case 'call':
      return `${v.to}(${v.args.map(value).join(', ')})`
    case 'cond':
      return `(${condition(v.c)} ? ${value(v.a)} : ${value(v.b)})`
    case 'bin':
      if (comparison(v.op)) return `(${condition(v)} ? 1 : 0)`
      if (v.op === '*') return `Math.imul(${value(v.a)}, ${value(v.b)})`
      if (v.op === '/') return `div(${value(v.a)}, ${value(v.b)})`
      if (v.op === '%') return `rem(${value(v.a)}, ${value(v.b)})`
      if (v.op === '+' || v.op === '-' || v.op === '>>>') return `(${value(v.a)} ${v.op} ${value(v.b)} | 0)`
      return `(${value(v.a)} ${v.op} ${value(v.b)})`
  }
}
