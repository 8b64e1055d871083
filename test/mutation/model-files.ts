/** The files that mutants are made of, and what their results depend on. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

import ts = require('typescript')

import { packageRoot } from '../../src/cli/files.ts'
import { type Mutant, mutantsOf } from './operators.ts'

/** Every mutant of every file of `kernel/`, by file and place. */
export function allMutants(): Mutant[] {
  const files = new Map(filesBelow('kernel').map((file) => [file, parse(file)]))
  const exported = new Map<string, string>()
  const ambiguous = new Set<string>()
  for (const [file, source] of files) {
    for (const statement of source.statements) {
      if (!ts.isFunctionDeclaration(statement) || !statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) || !statement.name) continue
      if (exported.has(statement.name.text)) ambiguous.add(statement.name.text)
      exported.set(statement.name.text, file)
    }
  }
  for (const name of ambiguous) exported.delete(name)
  return [...files].flatMap(([file, source]) => mutantsOf(file, source, exported))
}

/** The files of a directory of the package, sorted, as `kernel/mm/swap.ts`. */
export function filesBelow(directory: string): string[] {
  const root = packageRoot()
  const walk = (path: string): string[] =>
    readdirSync(join(root, path)).flatMap((name) => {
      const inner = `${path}/${name}`
      return statSync(join(root, inner)).isDirectory() ? walk(inner) : inner.endsWith('.ts') ? [inner] : []
    })
  return walk(directory).sort()
}

/** A hash of some files, and of everything below some directories. */
export function contentHash(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of paths.flatMap((path) => (path.endsWith('.ts') ? [path] : filesBelow(path)))) hash.update(`${file}\0${readText(file)}\0`)
  return hash.digest('hex').slice(0, 16)
}

export function readText(file: string): string {
  return readFileSync(join(packageRoot(), file), 'utf8')
}

/** What a file of the model imports. */
export function importsOf(file: string): Imports {
  const direct = new Set(importedBy(file))
  const all = new Set(direct)
  for (const each of all) for (const more of importedBy(each)) all.add(more)
  return { direct, all }
}

export interface Imports {
  /** Itself. */
  readonly direct: ReadonlySet<string>
  /** With all that those import. */
  readonly all: ReadonlySet<string>
}

const imported = new Map<string, readonly string[]>()

function importedBy(file: string): readonly string[] {
  const known = imported.get(file)
  if (known) return known
  const found = parse(file).statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    const from = statement.moduleSpecifier
    return from && ts.isStringLiteral(from) && from.text.startsWith('.') ? [join(dirname(file), from.text)] : []
  })
  imported.set(file, found)
  return found
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readText(file), ts.ScriptTarget.ES2022, true)
}
