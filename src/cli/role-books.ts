/** What the model says of a kernel's page counts: made from `kernel/` when first asked, and kept for the next time. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FunctionLibrary, loadFunctions } from '../lang/function-body.ts'
import { type BookPages, type KeptBook, keptBook, roleBook } from '../roles/book.ts'
import { bookText, parseBook } from '../roles/book-text.ts'
import { PAGE_WORLD } from '../roles/page-world.ts'
import { diskHost, packageRoot } from './files.ts'

let library: FunctionLibrary | undefined

/** The modelled functions of the package. */
export function modelFunctions(): FunctionLibrary {
  library ??= loadFunctions(diskHost(), kernelFiles(), PAGE_WORLD)
  return library
}

function kernelFiles(): string[] {
  const root = join(packageRoot(), 'kernel')
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => join(root, file))
}

/** The book of a preset, from the model itself. */
export function freshBook(kernel: string): KeptBook {
  const functions = modelFunctions()
  const preset = functions.kernels.find(({ name }) => name === kernel)
  return roleBook(kernel, { functions: functions.functions, body: functions.bodies(new Set(preset?.has ?? [])) })
}

const books = new Map<string, { readonly book: KeptBook; readonly file: string | undefined }>()

/** The book of a preset: what was kept of it, and the model for the rest. */
export function bookOf(kernel: string): KeptBook {
  let known = books.get(kernel)
  if (!known) {
    const file = keptFile(kernel)
    known = { book: keptBook(kernel, file === undefined ? undefined : readKept(file), () => freshBook(kernel)), file }
    books.set(kernel, known)
  }
  return known.book
}

/** What the model says of some functions for pages of some types, and all that was asked before: to be sent to where no model is. */
export function bookPages(kernel: string, asked: readonly { readonly name: string; readonly type: string }[]): BookPages {
  const book = bookOf(kernel)
  for (const { name, type } of asked) book.automaton(name, type)
  const pages = book.pages()
  if (pages) {
    keepBooks()
    return pages
  }
  // Nothing was found out that is not kept already.
  const file = keptFile(kernel)
  const kept = file === undefined ? undefined : readKept(file)
  return kept ?? (freshBook(kernel).pages() as BookPages)
}

/** Whether something was kept of the book, so that it is quickly at hand. */
export function bookIsKept(kernel: string): boolean {
  const file = keptFile(kernel)
  return file !== undefined && existsSync(file)
}

/** Keeps what was found out in this run. A disk that cannot be written is no mistake: it is found out again. */
export function keepBooks(): void {
  for (const { book, file } of books.values()) {
    const pages = file === undefined ? undefined : book.pages()
    if (!pages || file === undefined) continue
    try {
      mkdirSync(dirname(file), { recursive: true })
      const part = `${file}.${process.pid}`
      writeFileSync(part, bookText(pages))
      renameSync(part, file)
    } catch {
      // Not kept.
    }
  }
}

/** Where a book is kept: in the user's cache, by what it is made from. PUTPAGE_CACHE names another directory; empty, nothing is kept. */
function keptFile(kernel: string): string | undefined {
  const { PUTPAGE_CACHE, XDG_CACHE_HOME } = process.env
  if (PUTPAGE_CACHE === '') return undefined
  const directory = PUTPAGE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'putpage')
  return join(directory, `${fingerprint()}-${kernel.replace(/[^\w.+-]/g, '_')}.json`)
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

function readKept(file: string): BookPages | undefined {
  if (!existsSync(file)) return undefined
  try {
    return parseBook(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
