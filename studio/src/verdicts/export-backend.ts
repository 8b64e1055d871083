/** An export answers itself: runs are scripts beside the page, and "run again" is the interpreter in a worker, up to a limit. */
import { type PackedPlay, unpackPlay } from '../../../src/report/packed-play.ts'
import type { PlayRun, RunSummary } from '../../../src/report/play.ts'
import { stableId } from '../../../src/report/stable-id.ts'
import type { Backend, ModelList } from './backend.ts'
import type { SmallAnswer } from './small-worker.ts'
import SmallWorker from './small-worker.ts?worker&inline'

export interface ExportData {
  readonly model: ModelList
  readonly runs: readonly { readonly summary: RunSummary; readonly file: string }[]
  readonly books: readonly string[]
  readonly order?: unknown
}

const arrived = new Map<string, (packed: string) => void>()
const loaded = new Map<string, Promise<string>>()
Object.assign(globalThis, { putpageData: (name: string, packed: string) => arrived.get(name)?.(packed) })

/** Loads a script beside the page and unpacks what it brings. */
function load(name: string): Promise<string> {
  let text = loaded.get(name)
  if (!text) {
    text = new Promise<string>((resolve, reject) => {
      arrived.set(name, resolve)
      const script = document.createElement('script')
      script.src = `data/${name}.js`
      script.onerror = () => reject(new Error(`data/${name}.js is missing: write the export again.`))
      document.head.append(script)
    }).then(async (packed) => {
      const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
      return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text()
    })
    loaded.set(name, text)
  }
  return text
}

export function exportBackend(data: ExportData): Backend {
  const key = (scenario: string, kernel: string): string => `${scenario} ${kernel}`
  const files = new Map(data.runs.map(({ summary, file }) => [key(summary.scenario, summary.kernel), file]))
  /** What was searched again here. */
  const again = new Map<string, PlayRun>()
  const runOf = async (scenario: string, kernel: string): Promise<PlayRun> => {
    const file = files.get(key(scenario, kernel))
    if (file === undefined) throw new Error(`This export has no ${scenario} on ${kernel}. \`putpage studio\` has all.`)
    return unpackPlay(JSON.parse(await load(file)) as PackedPlay).runs[0]
  }
  const NO_CHANGES = 'An export carries the kernels as they are: other changes are searched by `putpage studio`, which has the model.'
  return {
    server: false,
    model: async () => data.model,
    verdicts: async () => data.runs.map(({ summary }) => summary),
    async search(runs, plus, minus, hear) {
      if (plus.length + minus.length > 0) throw new Error(NO_CHANGES)
      const worker = new SmallWorker()
      let stopped = false
      const stop = (): void => {
        if (stopped) return
        stopped = true
        worker.terminate()
        hear({ kind: 'end', stopped: true })
      }
      const one = async ({ scenario, kernel }: { readonly scenario: string; readonly kernel: string }): Promise<void> => {
        const run = await runOf(scenario, kernel)
        await new Promise<void>((resolve) => {
          worker.onmessage = ({ data: news }: MessageEvent<SmallAnswer>) => {
            if (news.kind === 'progress') hear({ kind: 'progress', scenario, kernel, states: news.states, depth: news.depth, seconds: news.seconds })
            else {
              const found = searched(run, news)
              again.set(key(scenario, kernel), found)
              hear({ kind: 'done', summary: found })
              resolve()
            }
          }
          worker.postMessage(run.program)
        })
      }
      void (async () => {
        for (const run of runs) {
          if (stopped) return
          try {
            await one(run)
          } catch (error) {
            hear({ kind: 'error', ...run, message: error instanceof Error ? error.message : String(error) })
          }
        }
        if (!stopped) hear({ kind: 'end', stopped: false })
        stopped = true
        worker.terminate()
      })()
      return stop
    },
    async play({ scenario, kernel, with: plus, without }) {
      if (plus !== '' || without !== '') throw new Error(NO_CHANGES)
      const [run, sources] = await Promise.all([again.get(key(scenario, kernel)) ?? runOf(scenario, kernel), load('sources')])
      return { format: 'putpage-play/1', runs: [run], sources: JSON.parse(sources) as Record<string, string>, others: [] }
    },
    order: async () => data.order,
    book: async (kernel, functions) => (data.books.includes(kernel) && functions.length === 0 ? load(`book-${kernel}`) : undefined),
  }
}

/** The run with what a search here found. */
function searched(run: PlayRun, { result, seconds }: Extract<SmallAnswer, { kind: 'done' }>): PlayRun {
  const { scenario, kernel, changes, checks } = run.program
  const order = (check: number): number => run.failures.findIndex((one) => one.check === check)
  const failures = [...result.failures].sort((a, b) => order(a.check) - order(b.check) || a.steps.length - b.steps.length)
  const { limit: _limit, steps: _steps, ...rest } = run
  return {
    ...rest,
    verdict: result.verdict,
    states: result.states,
    transitions: result.transitions,
    depth: result.depth,
    seconds,
    kinds: failures.map(({ check }) => checks[check].kind),
    never: result.never,
    ...(result.limit === undefined ? {} : { limit: result.limit }),
    ...(failures.length > 0 ? { steps: failures[0].steps.length } : {}),
    failures: failures.map(({ check, steps }) => ({ id: stableId({ scenario, kernel, changes, check: checks[check].id }), check, steps })),
  }
}
