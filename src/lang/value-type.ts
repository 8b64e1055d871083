/** The types of a model's values, as the compiler sees them after reading the declarations. */
import type ts from 'typescript'
import type { Display } from '../ir/program.ts'

export type ScalarType =
  | { readonly k: 'int'; readonly lo: number; readonly hi: number; readonly bias?: number }
  | { readonly k: 'bool' }
  | { readonly k: 'enum'; readonly members: readonly string[] }
  /** Stored as index + 1; 0 is null. */
  | { readonly k: 'ref'; readonly struct: Struct; readonly nullable: boolean }
  | { readonly k: 'thread'; readonly nullable: boolean }

export type ValueType =
  | ScalarType
  | { readonly k: 'word'; readonly name: string; readonly fields: readonly { readonly name: string; readonly type: ScalarType }[] }
  /** A structure inside another. */
  | { readonly k: 'inside'; readonly struct: Struct }
  | { readonly k: 'array'; readonly element: ValueType; readonly length: number; readonly by: 'index' | 'thread' | { readonly members: readonly string[] } }

export interface Field {
  readonly name: string
  readonly type: ValueType
  /** Path of the lock that guards it, relative to the structure. */
  readonly guard?: string
  readonly ghost: boolean
  readonly initial?: ts.Expression
  readonly node: ts.Node
}

export interface Struct {
  readonly name: string
  readonly fields: ReadonlyMap<string, Field>
  /** Objects of its pool, in order; grows while the scenario is read. */
  readonly objects: ObjectDeclaration[]
}

/** An object of a pool: `const page = struct(Page, {...})`. */
export interface ObjectDeclaration {
  readonly name: string
  readonly init?: ts.ObjectLiteralExpression
}

export const BOOL: ScalarType = { k: 'bool' }

export function int(lo: number, hi: number): ScalarType {
  return { k: 'int', lo, hi }
}

export function isScalar(type: ValueType): type is ScalarType {
  return type.k !== 'word' && type.k !== 'inside' && type.k !== 'array'
}

/** Inclusive range of the stored values of a type, given the number of threads. Objects must all be declared. */
export function rangeOf(type: ScalarType, threads: number): readonly [number, number] {
  switch (type.k) {
    case 'int':
      return [type.lo, type.hi]
    case 'bool':
      return [0, 1]
    case 'enum':
      return [0, type.members.length - 1]
    case 'ref':
      return [0, type.struct.objects.length]
    case 'thread':
      return [0, threads]
  }
}

/** How a type's values are shown to a person. */
export function displayOf(type: ScalarType): Display {
  switch (type.k) {
    case 'int':
      return type.bias === undefined ? { kind: 'int' } : { kind: 'count', bias: type.bias }
    case 'bool':
      return { kind: 'bool' }
    case 'enum':
      return { kind: 'enum', members: type.members }
    case 'ref':
      return { kind: 'ref', objects: type.struct.objects.map((object) => object.name) }
    case 'thread':
      return { kind: 'thread' }
  }
}

export function sameType(a: ScalarType, b: ScalarType): boolean {
  if (a.k !== b.k) return false
  if (a.k === 'enum' && b.k === 'enum') return a.members.length === b.members.length && a.members.every((member, i) => member === b.members[i])
  if (a.k === 'ref' && b.k === 'ref') return a.struct === b.struct
  return true
}

/** As the modeller would write it. */
export function typeName(type: ValueType): string {
  switch (type.k) {
    case 'int':
      return `Int<${type.lo}, ${type.hi}>`
    case 'bool':
      return 'boolean'
    case 'enum':
      return type.members.map((member) => `'${member}'`).join(' | ')
    case 'ref':
      return type.nullable ? `${type.struct.name} | null` : type.struct.name
    case 'thread':
      return type.nullable ? 'Thread | null' : 'Thread'
    case 'word':
      return type.name
    case 'inside':
      return `a ${type.struct.name} inside another structure`
    case 'array':
      return `an array of ${typeName(type.element)}`
  }
}
