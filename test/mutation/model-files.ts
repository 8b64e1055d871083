/** The files that mutants are made of, and what their results depend on. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
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

/** A hash of everything below some directories. */
export function contentHash(directories: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of directories.flatMap(filesBelow)) hash.update(`${file}\0${readText(file)}\0`)
  return hash.digest('hex').slice(0, 16)
}

export function readText(file: string): string {
  return readFileSync(join(packageRoot(), file), 'utf8')
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readText(file), ts.ScriptTarget.ES2022, true)
}
