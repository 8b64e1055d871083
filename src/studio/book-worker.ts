/** Answers what the model says of a kernel's functions, beside the server: making it out of the model takes seconds the first time. */
import { parentPort } from 'node:worker_threads'
import { rulesOf } from '../cli/model-rules.ts'
import { bookPages } from '../cli/role-books.ts'
import { bookText } from '../roles/book-text.ts'
import { DEVICE_TYPES } from '../trace/ranges.ts'

export interface BookQuestion {
  readonly number: number
  readonly kernel: string
  readonly functions: readonly { readonly name: string; readonly type: string }[]
}

export interface BookAnswer {
  readonly number: number
  readonly text: string
}

/** The text of a kernel's book, with its rules for every type and what was asked. */
export function bookFor(kernel: string, functions: BookQuestion['functions']): string {
  const rules = rulesOf(kernel)
  for (const type of DEVICE_TYPES) rules.freeAt(type)
  return bookText(bookPages(kernel, functions))
}

parentPort?.on('message', ({ number, kernel, functions }: BookQuestion) => {
  parentPort?.postMessage({ number, text: bookFor(kernel, functions) } satisfies BookAnswer)
})
