/**
 * A book's pages as text, to be kept or sent: JSON, in which the infinite ends of ranges are numbers too large for a double, which every reader of
 * JSON takes for infinite. A function that looks at each value takes some six times as long to read half a megabyte (40 ms).
 */
import type { BookPages } from './book.ts'

/** Stands for 1e999 until all is text: no function of the kernel has such a name. */
const ENDLESS = '∞'

export function bookText(pages: BookPages): string {
  const text = JSON.stringify(pages, (_, value) => (value === Number.POSITIVE_INFINITY ? ENDLESS : value === Number.NEGATIVE_INFINITY ? `-${ENDLESS}` : value))
  return text.replaceAll(`"${ENDLESS}"`, '1e999').replaceAll(`"-${ENDLESS}"`, '-1e999')
}

/** Throws if it is no JSON. */
export function parseBook(text: string): BookPages {
  return JSON.parse(text) as BookPages
}
