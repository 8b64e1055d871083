/** Who answers the views: the server, or, in an export, the page itself. */
import { type PackedPlay, unpackPlay } from '../../../src/report/packed-play.ts'
import type { PlayDocument, RunSummary } from '../../../src/report/play.ts'
import { ask } from '../documents.ts'

export interface ModelList {
  readonly scenarios: readonly {
    readonly name: string
    readonly about: string
    readonly bounds: string
    readonly kernels: readonly string[]
    /** With these switched on it makes sense on the other kernels too. */
    readonly needs: readonly string[]
    readonly deep: boolean
    readonly shows: readonly string[]
  }[]
  readonly kernels: readonly { readonly name: string; readonly about: string }[]
  readonly switches: readonly { readonly name: string; readonly effect: string; readonly commit?: string; readonly in: readonly string[] }[]
  readonly changes: readonly { readonly name: string; readonly about: string; readonly switches: readonly string[] }[]
}

export type News =
  | { readonly kind: 'progress'; readonly scenario: string; readonly kernel: string; readonly states: number; readonly depth: number; readonly seconds: number }
  | { readonly kind: 'done'; readonly summary: RunSummary }
  | { readonly kind: 'error'; readonly scenario: string; readonly kernel: string; readonly message: string }
  | { readonly kind: 'end'; readonly stopped: boolean }

export interface Wanted {
  readonly scenario: string
  readonly kernel: string
  readonly with: string
  readonly without: string
}

export interface Backend {
  readonly server: boolean
  model(): Promise<ModelList>
  verdicts(): Promise<readonly RunSummary[]>
  /** Starts searches; resolves with what stops them. */
  search(
    runs: readonly { readonly scenario: string; readonly kernel: string }[],
    plus: readonly string[],
    minus: readonly string[],
    hear: (news: News) => void,
  ): Promise<() => void>
  play(wanted: Wanted): Promise<PlayDocument>
  /** An answer of `putpage order --json`; undefined if there is none. */
  order(): Promise<unknown>
  /** What the model says of some functions on a kernel: the text of a book; undefined where no model is at hand. */
  book(kernel: string, functions: readonly { readonly name: string; readonly type: string }[]): Promise<string | undefined>
}

const JSON_POST = { method: 'POST', headers: { 'Content-Type': 'application/json' } }

/** The studio's own server. */
export const serverBackend: Backend = {
  server: true,
  model: () => ask('api/model'),
  verdicts: () => ask('api/verdicts'),
  async search(runs, plus, minus, hear) {
    const { batch } = await ask<{ batch: string }>('api/search', { ...JSON_POST, body: JSON.stringify({ runs, with: plus, without: minus }) })
    const stream = new EventSource(`api/news?batch=${encodeURIComponent(batch)}`)
    stream.onmessage = (event) => {
      const news = JSON.parse(event.data as string) as News
      if (news.kind === 'end') stream.close()
      hear(news)
    }
    stream.onerror = () => {
      stream.close()
      hear({ kind: 'end', stopped: true })
    }
    return () => void ask('api/stop', { ...JSON_POST, body: JSON.stringify({ batch }) })
  },
  play: async ({ scenario, kernel, with: plus, without }) =>
    unpackPlay(await ask<PackedPlay>(`api/play?${new URLSearchParams({ scenario, kernel, with: plus, without })}`)),
  async order() {
    try {
      return await ask('api/order')
    } catch {
      return undefined
    }
  },
  async book(kernel, functions) {
    const response = await fetch('api/book', { ...JSON_POST, body: JSON.stringify({ kernel, functions }) })
    return response.ok ? await response.text() : undefined
  },
}
