/** What the model says of a kernel, for the trace auditor: answered from `kernel/`. */
import { presetFor as nearestPreset } from '../roles/preset.ts'
import { bookRules } from '../trace/book-rules.ts'
import type { KernelRules } from '../trace/kernel-rules.ts'
import { bookOf } from './role-books.ts'

/** The model's kernels. */
export const PRESETS: readonly string[] = ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3']

/** The preset that stands for a release: the newest that is not newer; of older ones the first. */
export function presetFor(release: string): string {
  return nearestPreset(release, PRESETS)?.name ?? PRESETS[0]
}

/** The rules of a preset. */
export function rulesOf(kernel: string): KernelRules {
  return bookRules(bookOf(kernel))
}
