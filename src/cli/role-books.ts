/** What the model says of a kernel's page counts: made from `kernel/` when first asked, and kept for the next time. */
import { type FunctionLibrary, loadFunctions } from '../lang/function-body.ts'
import { type BookPages, type KeptBook, roleBook } from '../roles/book.ts'
import { keptBook } from '../roles/kept-book.ts'
import { PAGE_WORLD } from '../roles/page-world.ts'
import { keepBook, kernelFiles, readKeptBook } from './book-files.ts'
import { diskHost } from './files.ts'

let library: FunctionLibrary | undefined

/** The modelled functions of the package. */
export function modelFunctions(): FunctionLibrary {
  library ??= loadFunctions(diskHost(), kernelFiles(), PAGE_WORLD)
  return library
}

/** The book of a preset, from the model itself. */
export function freshBook(kernel: string): KeptBook {
  const functions = modelFunctions()
  const preset = functions.kernels.find(({ name }) => name === kernel)
  return roleBook(kernel, { functions: functions.functions, body: functions.bodies(new Set(preset?.has ?? [])) })
}

const books = new Map<string, KeptBook>()

/** The book of a preset: what was kept of it, and the model for the rest. */
export function bookOf(kernel: string): KeptBook {
  const known = books.get(kernel) ?? keptBook(kernel, readKeptBook(kernel), () => freshBook(kernel))
  books.set(kernel, known)
  return known
}

/** What the model says of some functions for pages of some types, and all that was asked before: to be sent to where no model is. */
export function bookPages(kernel: string, asked: readonly { readonly name: string; readonly type: string }[]): BookPages {
  const book = bookOf(kernel)
  for (const { name, type } of asked) book.automaton(name, type)
  const pages = book.pages()
  if (pages) {
    keepBook(kernel, pages)
    return pages
  }
  // Nothing was found out that is not kept already.
  return readKeptBook(kernel) ?? (freshBook(kernel).pages() as BookPages)
}
