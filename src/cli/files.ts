/** The files of the installed package and of the user's disk, for the compiler. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceHost } from '../lang/source.ts'

/** The package's directory: where `kernel/`, `changes/` and `scenarios/` are. */
export function packageRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(at, 'package.json'))) {
    const up = dirname(at)
    if (up === at) throw new Error('[putpage internal bug] the package has no package.json')
    at = up
  }
  return at
}

/** The model's own declarations, which every selection of scenarios is loaded with: kernels and switches, known bugs, changes. */
export function declarationFiles(): string[] {
  const root = packageRoot()
  const changes = readdirSync(join(root, 'changes'))
    .filter((file) => file.endsWith('.ts'))
    .sort()
  return [join(root, 'kernel/switches.ts'), join(root, 'kernel/known-bugs.ts'), ...changes.map((file) => join(root, 'changes', file))]
}

/** Reads model files from the disk. */
export function diskHost(): SourceHost {
  return {
    root: packageRoot(),
    readFile: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined),
  }
}

/** An absolute path of what a person typed. */
export function absolute(path: string): string {
  return resolve(path)
}
