/** Where books are kept, and reading and writing them there. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BookPages } from '../roles/book.ts'
import { bookText, parseBook } from '../roles/book-text.ts'
import { packageRoot } from './files.ts'

/** The model's files. */
export function kernelFiles(): string[] {
  const root = join(packageRoot(), 'kernel')
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => join(root, file))
}

/** What is kept of a book, or came with the package; undefined: nothing, or nothing that can be read. */
export function readKeptBook(kernel: string): BookPages | undefined {
  const kept = keptFile(kernel)
  if (kept === undefined) return undefined
  const file = [kept, shippedFile(kernel)].find(existsSync)
  if (file === undefined) return undefined
  try {
    return parseBook(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Keeps a book for the next time. A disk that cannot be written is no mistake: it is found out again. */
export function keepBook(kernel: string, pages: BookPages): void {
  const file = keptFile(kernel)
  if (file === undefined) return
  try {
    mkdirSync(dirname(file), { recursive: true })
    const part = `${file}.${process.pid}`
    writeFileSync(part, bookText(pages))
    renameSync(part, file)
  } catch {
    // Not kept.
  }
}

/** Puts a book where those are that come with the package; what was there of this kernel goes. */
export function shipBook(kernel: string, pages: BookPages): void {
  const file = shippedFile(kernel)
  mkdirSync(dirname(file), { recursive: true })
  for (const old of readdirSync(dirname(file))) if (old.endsWith(`-${kernel}.json`)) rmSync(join(dirname(file), old))
  writeFileSync(file, bookText(pages))
}

function shippedFile(kernel: string): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', 'books', nameOf(kernel))
}

/** By what it is made from. */
function nameOf(kernel: string): string {
  return `${fingerprint()}-${kernel.replace(/[^\w.+-]/g, '_')}.json`
}

/** In the user's cache. PUTPAGE_CACHE names another directory; empty, nothing is kept. */
function keptFile(kernel: string): string | undefined {
  const { PUTPAGE_CACHE, XDG_CACHE_HOME } = process.env
  if (PUTPAGE_CACHE === '') return undefined
  const directory = PUTPAGE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'putpage')
  return join(directory, nameOf(kernel))
}

let print: string | undefined

/** Of everything a book is made from: the model, and the code that reads it. */
function fingerprint(): string {
  if (print !== undefined) return print
  const hash = createHash('sha256')
  const code = join(dirname(fileURLToPath(import.meta.url)), '..')
  const sources = ['lang', 'ir', 'roles'].flatMap((stage) =>
    readdirSync(join(code, stage))
      .filter((file) => file.endsWith('.js'))
      .sort()
      .map((file) => join(code, stage, file)),
  )
  for (const file of [...kernelFiles(), ...sources]) hash.update(readFileSync(file)).update('\0')
  print = hash.digest('hex').slice(0, 16)
  return print
}
