/** What the model calls the things a slice is made of, and the world a slice lives in: one page, seen from any function. */

/** The structure whose count is followed, and its fields that matter. */
export const PAGE = { struct: 'Page', count: '_refcount', type: 'type', head: 'compound_head' } as const
/** The page's dev_pagemap: the only one of the world. */
export const PAGEMAP = { struct: 'DevPagemap', type: 'type' } as const

/** References to pages: null, the page whose count is followed, a tail page of its folio, any other page. */
export const THIS_PAGE = 1
export const TAIL_PAGE = 2
/** This and higher numbers. */
export const OTHER_PAGE = 3
export const PAGE_WORLD = { [PAGE.struct]: ['this page', 'a tail page of its folio', 'another page'] } as const

/** Stands for GUP_PIN_COUNTING_BIAS in the model, and what it is in the kernel. */
export const MODEL_BIAS = 16
export const KERNEL_BIAS = 1024

/**
 * The counts before an operation, cut so finely that no comparison of the model tells two of one class apart: each class with
 * one count that is looked at in its place. Numbers of the model; the last class has no end.
 */
export const COUNT_CLASSES: readonly { readonly lo: number; readonly hi: number; readonly at: number }[] = [
  { lo: Number.NEGATIVE_INFINITY, hi: -2, at: -2 },
  ...[-1, 0, 1, 2, 3, 4].map((at) => ({ lo: at, hi: at, at })),
  { lo: 5, hi: MODEL_BIAS - 3, at: 8 },
  ...[-2, -1, 0, 1, 2, 3, 4].map((off) => ({ lo: MODEL_BIAS + off, hi: MODEL_BIAS + off, at: MODEL_BIAS + off })),
  { lo: MODEL_BIAS + 5, hi: Number.POSITIVE_INFINITY, at: 40 },
]

/** A count of the model in the kernel's units: small numbers are references, those near the bias are pins. */
export function kernelCount(count: number): number {
  if (!Number.isFinite(count)) return count
  const pins = Math.round(count / MODEL_BIAS)
  return pins * KERNEL_BIAS + (count - pins * MODEL_BIAS)
}
