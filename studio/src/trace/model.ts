/** A trace that is open, whoever read it: a worker here, or the command line that wrote a report. */
import type { PageLife } from '../../../src/report/page-references.ts'
import type { Timeline } from '../../../src/report/timeline.ts'
import type { FromWorker, Reading, ToWorker, TraceOptions, TraceReport } from './protocol.ts'
import TraceWorker from './trace-worker.ts?worker&inline'

export interface OpenedTrace {
  readonly name: string
  readonly report: TraceReport
  readonly timeline: Timeline
  /** Undefined: this page's life is not in the report. */
  life(page: number): Promise<PageLife | undefined>
  /** What a report leaves out. */
  readonly leftOut?: string
  /** Lives were or will be held to the model. */
  readonly model: 'held' | 'pending' | 'none'
}

/** Asks for what the model says of a kernel; undefined where nobody can tell. */
export type AskBook = (kernel: string, functions: readonly { readonly name: string; readonly type: string }[]) => Promise<string | undefined>

/** Reads a file in a worker. Returns what ends it. */
export function readTrace(
  file: File,
  iomem: string | undefined,
  options: TraceOptions,
  askBook: AskBook,
  hear: { readonly reading: (reading: Reading) => void; readonly opened: (trace: OpenedTrace) => void; readonly failed: (message: string) => void },
): () => void {
  const worker = new TraceWorker()
  const waiting = new Map<number, (life: PageLife) => void>()
  let number = 0
  let asked = 0
  let noBook = false
  let last: OpenedTrace | undefined
  const opened = (trace: OpenedTrace): void => {
    last = trace
    hear.opened(trace)
  }
  /** What the book does not know nobody here can tell: the first pass stands, not held to the model. */
  const withoutBook = (): void => {
    noBook = true
    if (last?.model === 'pending') opened({ ...last, model: 'none' })
    post({ kind: 'book', text: undefined })
  }
  const post = (message: ToWorker): void => worker.postMessage(message)
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    switch (data.kind) {
      case 'need':
        asked++
        askBook(data.kernel, data.functions).then((text) => {
          if (text === undefined) withoutBook()
          else post({ kind: 'book', text })
        }, withoutBook)
        return
      case 'progress':
        // The trace is read again to be held to the model: what is open stays open.
        if (!last) hear.reading(data)
        return
      case 'done':
        opened({
          name: file.name,
          report: data.report,
          timeline: data.timeline,
          model: asked === 0 || noBook ? 'none' : data.complete ? 'held' : 'pending',
          life: (page) =>
            new Promise((resolve) => {
              const mine = number++
              waiting.set(mine, resolve)
              post({ kind: 'life', page, number: mine })
            }),
        })
        return
      case 'life':
        waiting.get(data.number)?.(data.life)
        waiting.delete(data.number)
        return
      case 'error':
        hear.failed(data.message)
    }
  }
  worker.onerror = (event) => hear.failed(`the reader broke off: ${event.message}`)
  post({ kind: 'open', file, iomem, options })
  return () => worker.terminate()
}
