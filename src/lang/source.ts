/** Loads model files with TypeScript's own parser and checker. Nothing of a model is run. */
import ts = require('typescript')

import type { Diagnostic } from './diagnostic.ts'

/** Where model files come from: a disk, or a table in a browser or a test. Paths are absolute and use `/`. */
export interface SourceHost {
  readFile(path: string): string | undefined
  /** Directory that holds `kernel/`, `changes/`, `scenarios/` and `src/lang/model.ts`. */
  readonly root: string
}

export interface Sources {
  readonly program: ts.Program
  readonly checker: ts.TypeChecker
  /** The file, relative to the root where it lies below it. */
  displayPath(file: ts.SourceFile): string
  /** What a name means, imports followed. */
  symbol(node: ts.Node): ts.Symbol | undefined
  /** A complaint about a node. */
  diagnostic(node: ts.Node, message: string, instead: string): Diagnostic
  /** What TypeScript itself has to say: typos, wrong types, missing files. */
  readonly typeErrors: readonly Diagnostic[]
  /** Statements that the last compilation made part of its program, set-up included. */
  readonly lowered: Set<ts.Statement>
  /** Those of them that its set-up ran. */
  readonly loweredBySetup: Set<ts.Statement>
  /** Path of `putpage/model`. */
  readonly modelPath: string
}

/** The few global types a model needs: loading the real library would take most of the compile time. */
const LIBRARY = `
interface Array<T> { readonly length: number; [n: number]: T; [Symbol.iterator](): Iterator<T> }
interface ReadonlyArray<T> { readonly length: number; readonly [n: number]: T }
interface Boolean {} interface CallableFunction {} interface Function {} interface IArguments {} interface NewableFunction {}
interface Number {} interface Object {} interface RegExp {} interface String {}
interface SymbolConstructor { readonly iterator: unique symbol } declare var Symbol: SymbolConstructor
interface Iterator<T> { next(): { done?: boolean; value: T } } interface Iterable<T> { [Symbol.iterator](): Iterator<T> }
interface Promise<T> { then(value: T): void } interface PromiseConstructor {} declare var Promise: PromiseConstructor
type Record<K extends keyof any, T> = { [P in K]: T }
type Readonly<T> = { readonly [P in keyof T]: T[P] }
type Partial<T> = { [P in keyof T]?: T[P] }
`
const LIBRARY_PATH = '/putpage/lib.d.ts'

/**
 * Parses and type-checks the given files and what they import. With `earlier`, which differs in few files, only those are parsed
 * again and no type errors are looked for: for who tries many variants of sources that are right.
 */
export function loadSources(host: SourceHost, files: readonly string[], earlier?: Sources): Sources {
  const modelPath = `${host.root}/src/lang/model.ts`
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noEmit: true,
    noLib: true,
    types: [],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  }
  const parsed = new Map<string, ts.SourceFile | undefined>()
  const compilerHost: ts.CompilerHost = {
    fileExists: (path) => path === LIBRARY_PATH || host.readFile(path) !== undefined,
    readFile: (path) => (path === LIBRARY_PATH ? LIBRARY : host.readFile(path)),
    getSourceFile(path, language) {
      if (!parsed.has(path)) {
        const text = path === LIBRARY_PATH ? LIBRARY : host.readFile(path)
        const before = earlier?.program.getSourceFile(path)
        if (before && before.text === text) parsed.set(path, before)
        else parsed.set(path, text === undefined ? undefined : ts.createSourceFile(path, text, language, true))
      }
      return parsed.get(path)
    },
    getDefaultLibFileName: () => LIBRARY_PATH,
    writeFile: () => {},
    getCurrentDirectory: () => host.root,
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    resolveModuleNameLiterals: (literals, containing) =>
      literals.map((literal) => {
        const path = resolveImport(host, literal.text, containing, modelPath)
        return { resolvedModule: path === undefined ? undefined : { resolvedFileName: path, extension: ts.Extension.Ts } }
      }),
  }
  const program = ts.createProgram({ rootNames: [LIBRARY_PATH, ...files], options, host: compilerHost, oldProgram: earlier?.program })
  const displayPath = (file: ts.SourceFile): string => (file.fileName.startsWith(`${host.root}/`) ? file.fileName.slice(host.root.length + 1) : file.fileName)
  const at = (file: ts.SourceFile, start: number, end: number, message: string, instead: string): Diagnostic => {
    const from = file.getLineAndCharacterOfPosition(start)
    const to = file.getLineAndCharacterOfPosition(end)
    const source = file.text.split(/\r?\n/)[from.line] ?? ''
    return {
      file: displayPath(file),
      line: from.line + 1,
      column: from.character + 1,
      endColumn: to.line === from.line ? to.character + 1 : source.length + 1,
      source,
      message,
      instead,
    }
  }
  const checker = program.getTypeChecker()
  // A function is inlined many times, and the checker looks a name up anew at each question.
  const symbols = new WeakMap<ts.Node, ts.Symbol | null>()
  const symbol = (node: ts.Node): ts.Symbol | undefined => {
    const known = symbols.get(node)
    if (known !== undefined) return known ?? undefined
    const own = ts.isShorthandPropertyAssignment(node.parent) ? checker.getShorthandAssignmentValueSymbol(node.parent) : checker.getSymbolAtLocation(node)
    const found = own && own.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(own) : own
    symbols.set(node, found ?? null)
    return found
  }
  let errors: readonly Diagnostic[] | undefined
  // Asked for by who compiles a scenario; a check of everything takes longer than reading it.
  const complaints = (): readonly Diagnostic[] =>
    [...program.getSyntacticDiagnostics(), ...program.getGlobalDiagnostics(), ...program.getSemanticDiagnostics()].map((complaint) => {
      const message = ts.flattenDiagnosticMessageText(complaint.messageText, '\n  ')
      if (!complaint.file) return { file: '', line: 1, column: 1, endColumn: 1, source: '', message, instead: '' }
      return at(complaint.file, complaint.start ?? 0, (complaint.start ?? 0) + (complaint.length ?? 1), message, '')
    })
  return {
    program,
    checker,
    symbol,
    displayPath,
    lowered: new Set(),
    loweredBySetup: new Set(),
    modelPath,
    diagnostic: (node, message, instead) => at(node.getSourceFile(), node.getStart(), node.getEnd(), message, instead),
    get typeErrors() {
      errors ??= earlier ? [] : complaints()
      return errors
    },
  }
}

function resolveImport(host: SourceHost, specifier: string, from: string, modelPath: string): string | undefined {
  if (specifier === 'putpage/model') return modelPath
  const path = specifier.startsWith('putpage/')
    ? `${host.root}/${specifier.slice('putpage/'.length)}`
    : specifier.startsWith('.')
      ? normalise(`${from.slice(0, from.lastIndexOf('/'))}/${specifier}`)
      : undefined
  if (path === undefined) return undefined
  return [path, `${path}.ts`, path.replace(/\.js$/, '.ts')].find((candidate) => candidate.endsWith('.ts') && host.readFile(candidate) !== undefined)
}

function normalise(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** What is said of a place in a program, which is known by file, line and column. */
export function diagnosticAt(sources: Sources, at: { file: string; line: number; column: number }, message: string, instead: string): Diagnostic {
  const file = sources.program.getSourceFiles().find((candidate) => sources.displayPath(candidate) === at.file)
  const source = file?.text.split(/\r?\n/)[at.line - 1] ?? ''
  return { ...at, endColumn: source.length + 1, source, message, instead }
}
