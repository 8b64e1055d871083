/** What the model says of a kernel, for the trace auditor: answered from `kernel/`. */

import type { RoleBook } from '../roles/book.ts'
import { presetFor as nearestPreset } from '../roles/preset.ts'
import { bookRules } from '../trace/book-rules.ts'
import type { KernelRules } from '../trace/kernel-rules.ts'
import { bookOf } from './kept-books.ts'

/** The model's kernels. */
export const PRESETS: readonly string[] = ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3']

/** The preset that stands for a release: the newest that is not newer; of older ones the first. */
export function presetFor(release: string): string {
  return nearestPreset(release, PRESETS)?.name ?? PRESETS[0]
}

/** The rules of a preset. */
export function rulesOf(kernel: string, book: RoleBook = bookOf(kernel)): KernelRules {
  return bookRules(book)
}
