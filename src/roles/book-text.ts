/** A book's pages as text, to be kept or sent: JSON, in which the infinite ends of ranges have names. */
import type { BookPages } from './book.ts'

export function bookText(pages: BookPages): string {
  return JSON.stringify(pages, (_, value) => (value === Number.POSITIVE_INFINITY ? 'inf' : value === Number.NEGATIVE_INFINITY ? '-inf' : value))
}

/** Throws if it is no JSON. */
export function parseBook(text: string): BookPages {
  return JSON.parse(text, (_, value) => (value === 'inf' ? Number.POSITIVE_INFINITY : value === '-inf' ? Number.NEGATIVE_INFINITY : value)) as BookPages
}
