/**
 * Makes the books that go with the package: what the model says of the functions that some recordings ask about, for every kernel, so that a first
 * reading need not find it out. `node build/src/cli/ship-books.js DIRECTORY`: the recordings below it decide which functions. A book is used as long
 * as the model and what reads it are the same: see `book-files.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RoleBook } from '../roles/book.ts'
import { auditTrace } from '../trace/audit-trace.ts'
import { memoryFile, TraceError } from '../trace/byte-file.ts'
import { HeldToModel } from '../trace/held-to-model.ts'
import { shipBook } from './book-files.ts'
import { makeInflate } from './inflate.ts'
import { PRESETS, presetFor, rulesOf } from './model-rules.ts'
import { freshBook } from './role-books.ts'

const inflate = await makeInflate()
const books = new Map(PRESETS.map((kernel) => [kernel, freshBook(kernel)]))
const asked = new Map<string, { readonly name: string; readonly type: string }>()

function bookOf(kernel: string): RoleBook {
  const book = books.get(kernel)
  if (!book) throw new Error(`there is no kernel ${kernel}`)
  return {
    ...book,
    waiters: book.waiters,
    automaton(name, type) {
      asked.set(`${type} ${name}`, { name, type })
      return book.automaton(name, type)
    },
  }
}

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('name a directory of recordings')
for (const name of readdirSync(directory, { recursive: true }) as string[]) {
  if (!name.endsWith('.dat')) continue
  try {
    await auditTrace(memoryFile(new Uint8Array(readFileSync(join(directory, name))), name), inflate, {
      ranges: [],
      judges: [new HeldToModel(bookOf)],
      rules(release) {
        const kernel = release === undefined ? undefined : presetFor(release)
        return kernel === undefined ? undefined : rulesOf(kernel, bookOf(kernel))
      },
    })
  } catch (error) {
    // Not every recording has events.
    if (!(error instanceof TraceError)) throw error
  }
}
for (const [kernel, book] of books) {
  // What a function calls may be what another recording sees entered.
  for (const { name, type } of asked.values()) {
    const { chains = [] } = book.automaton(name, type) ?? {}
    for (const callee of new Set(chains.flat())) book.automaton(callee, type)
  }
  const pages = book.pages()
  if (pages) shipBook(kernel, pages)
}
