/** The frame around the views. */
import { useEffect, useState } from 'preact/hooks'
import type { Embedded } from './documents.ts'
import { ErrorBox } from './error-box.tsx'
import { OrderView } from './order/order-view.tsx'
import { PlayView } from './play-view.tsx'
import { Report } from './report.tsx'
import { formatRoute, useRoute } from './route.ts'
import { ThemeButton } from './theme.tsx'
import { TraceReportPage } from './trace/trace-report.tsx'
import { TraceView } from './trace/trace-view.tsx'
import { type Backend, type ModelList, serverBackend } from './verdicts/backend.ts'
import { type ExportData, exportBackend } from './verdicts/export-backend.ts'
import { Verdicts } from './verdicts/verdicts.tsx'

export function App({ data }: { data: Embedded | undefined }) {
  if (data?.kind === 'play') return <Report document={data.play} />
  if (data?.kind === 'trace') return <TraceReportPage document={data.trace} />
  return <Studio backend={data?.kind === 'export' ? backendOf(data) : serverBackend} />
}

let made: Backend | undefined

function backendOf(data: ExportData): Backend {
  made ??= exportBackend(data)
  return made
}

const VIEWS = [
  ['verdicts', 'Verdicts'],
  ['order', 'The order'],
  ['trace', 'A real trace'],
] as const

function Studio({ backend }: { backend: Backend }) {
  const route = useRoute()
  const view = route.view === '' ? 'verdicts' : route.view
  const [lastRun, setLastRun] = useState<Readonly<Record<string, string>> | undefined>()
  useEffect(() => {
    if (view === 'play') setLastRun(route.values)
  }, [route])
  return (
    <>
      <header class="top">
        <span class="name">putpage studio</span>
        <nav aria-label="Views">
          {VIEWS.map(([name, title]) => (
            <a key={name} href={formatRoute(name, {})} aria-current={view === name ? 'page' : undefined}>
              {title}
            </a>
          ))}
          {lastRun?.scenario && (
            <a href={formatRoute('play', lastRun)} aria-current={view === 'play' ? 'page' : undefined}>
              {lastRun.scenario} on {lastRun.kernel}
            </a>
          )}
        </nav>
        {!backend.server && <span class="faint">an export: no server</span>}
        <ThemeButton />
      </header>
      <main>
        {view === 'order' ? (
          <OrderView backend={backend} values={route.values} />
        ) : view === 'trace' ? (
          <TraceView askBook={backend.book} values={route.values} />
        ) : view === 'play' ? (
          <PlayView backend={backend} values={route.values} />
        ) : (
          <Model backend={backend}>{(model) => <Verdicts backend={backend} model={model} values={route.values} />}</Model>
        )}
      </main>
    </>
  )
}

/** Waits for the list of scenarios, kernels and switches. */
function Model({ backend, children }: { backend: Backend; children: (model: ModelList) => preact.JSX.Element }) {
  const [model, setModel] = useState<ModelList | undefined>()
  const [error, setError] = useState<string | undefined>()
  useEffect(() => {
    backend.model().then(setModel, (thrown) => setError(String(thrown instanceof Error ? thrown.message : thrown)))
  }, [backend])
  if (error !== undefined) return <ErrorBox text={error} />
  if (!model)
    return (
      <p class="empty" role="status">
        Loading the model …
      </p>
    )
  return children(model)
}
