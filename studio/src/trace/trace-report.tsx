/** A report of `putpage trace --html`. */
import { useMemo } from 'preact/hooks'
import type { TraceDocument } from '../../../src/report/trace-document.ts'
import { useRoute } from '../route.ts'
import { ThemeButton } from '../theme.tsx'
import { reportTrace } from './report-trace.ts'
import { TraceView } from './trace-view.tsx'

export function TraceReportPage({ document: made }: { document: TraceDocument }) {
  const route = useRoute()
  const trace = useMemo(() => reportTrace(made), [made])
  return (
    <>
      <header class="top">
        <span class="name">putpage</span>
        <nav aria-label="Report">
          <span class="faint">who holds the page: a recording of a real kernel</span>
        </nav>
        <ThemeButton />
      </header>
      <main>
        <TraceView askBook={async () => undefined} values={route.values} given={trace} />
      </main>
    </>
  )
}
