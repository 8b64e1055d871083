/** What the page and its trace worker say to each other. */
import type { Picture } from '../../../src/report/first-picture.ts'
import type { PageLife } from '../../../src/report/page-references.ts'
import type { Timeline } from '../../../src/report/timeline.ts'

export type ToWorker =
  | { readonly kind: 'open'; readonly file: File; readonly iomem: string | undefined; readonly options: TraceOptions }
  /** The answer to `need`: a book's text, or undefined where there is none. */
  | { readonly kind: 'book'; readonly text: string | undefined }
  | { readonly kind: 'life'; readonly page: number; readonly number: number }

export interface TraceOptions {
  /** Whose rules to judge by; undefined: the trace's own. */
  readonly kernel: string | undefined
  readonly ranges: readonly string[]
}

/** How far a recording is read. */
export interface Reading {
  readonly done: number
  readonly events: number
  /** Events read up to each part of the file. */
  readonly density: readonly number[]
  /** A first picture of the device pages; undefined: none of them had an event yet. */
  readonly picture: Picture | undefined
}

export type FromWorker =
  | { readonly kind: 'need'; readonly kernel: string; readonly functions: readonly { readonly name: string; readonly type: string }[] }
  | ({ readonly kind: 'progress' } & Reading)
  | { readonly kind: 'done'; readonly report: TraceReport; readonly timeline: Timeline; readonly complete: boolean }
  | { readonly kind: 'life'; readonly number: number; readonly life: PageLife }
  | { readonly kind: 'error'; readonly message: string }

/** `putpage trace --json`, as far as it is shown. */
export interface TraceReport {
  readonly format: string
  readonly kernel: string | null
  readonly release: string | null
  readonly source: string
  readonly events: number
  readonly deviceEvents: number
  readonly lost: number
  readonly lostUncounted: boolean
  readonly absent: readonly { readonly cpu: number; readonly absent: number; readonly counted: number }[]
  readonly endsEarly: string | null
  readonly pages: number
  readonly ranges: readonly {
    readonly start: string
    readonly end: string
    readonly type: string
    readonly freeAt: number
    readonly from: string
    readonly name: string | null
    readonly pages: number
    readonly open: number
  }[]
  readonly findings: readonly TraceFinding[]
  readonly conformance: {
    readonly pages: number
    readonly rejected: number
    readonly unmapped: number
    readonly unmappedSites: readonly { readonly stack: readonly string[]; readonly events: number }[]
  }
}

export interface TraceFinding {
  readonly kind: string
  readonly severity: 'error' | 'unknown' | 'info'
  readonly why: string
  readonly pages: readonly string[]
  readonly references: number
  readonly callsites: readonly {
    readonly function: string
    readonly class: string | null
    readonly stack: readonly string[]
    readonly references: number
    readonly share: number
  }[]
  readonly example: { readonly page: string; readonly task: string | null; readonly time: number | null; readonly age: number | null } | null
}
