/** A real trace: dropped here, read here. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PageLife } from '../../../src/report/page-references.ts'
import type { Timeline as Data } from '../../../src/report/timeline.ts'
import { replaceRoute } from '../route.ts'
import { duration, type View } from './draw.ts'
import { Findings } from './findings.tsx'
import { Life } from './life.tsx'
import { type AskBook, type OpenedTrace, readTrace } from './model.ts'
import type { Reading, TraceFinding } from './protocol.ts'
import { Progress } from './reading.tsx'
import { ORDERS, type Order, pageOf, Timeline } from './timeline.tsx'
import { modelWord, verdictOf } from './trace-words.ts'

interface TraceViewProps {
  readonly askBook: AskBook
  readonly values: Readonly<Record<string, string>>
  /** A trace the page carries: then no other is asked for. */
  readonly given?: OpenedTrace
}

/** What is open stays open while one looks at another view. */
let kept: OpenedTrace | undefined

export function TraceView({ askBook, values, given }: TraceViewProps) {
  const [trace, setTraceState] = useState<OpenedTrace | undefined>(given ?? kept)
  const [reading, setReading] = useState<(Reading & { readonly name: string }) | undefined>()
  const [error, setError] = useState<string | undefined>()
  const [over, setOver] = useState(false)
  const [kernel, setKernel] = useState('')
  const [range, setRange] = useState('')
  const files = useRef<{ readonly trace: File; readonly iomem: File | undefined } | undefined>(undefined)
  const stop = useRef<(() => void) | undefined>(undefined)
  const setTrace = (opened: OpenedTrace): void => {
    if (!given) kept = opened
    setTraceState(opened)
  }
  const open = async (list: readonly File[]): Promise<void> => {
    const iomem = list.find(({ name }) => /iomem/.test(name)) ?? files.current?.iomem
    const main = list.find((file) => file !== iomem) ?? files.current?.trace
    if (!main) {
      setError('That is an iomem alone: drop the recording with it.')
      return
    }
    files.current = { trace: main, iomem }
    stop.current?.()
    setError(undefined)
    setReading({ name: main.name, done: 0, events: 0, density: [], picture: undefined })
    let text: string | undefined
    try {
      text = iomem && (await iomem.text())
    } catch (thrown) {
      setError(`${iomem?.name} cannot be read: ${String(thrown)}`)
    }
    const options = { kernel: kernel === '' ? undefined : kernel, ranges: range.split(/[\s,]+/).filter((one) => one !== '') }
    stop.current = readTrace(main, text, options, askBook, {
      reading: (one) => setReading({ ...one, name: main.name }),
      opened: (opened) => {
        setReading(undefined)
        setTrace(opened)
      },
      failed: (message) => {
        setReading(undefined)
        setError(message)
      },
    })
  }
  const chooser = (
    <label class="button file">
      open a recording
      <input type="file" multiple class="sr" onChange={(event) => void open([...(event.currentTarget.files ?? [])])} />
    </label>
  )
  return (
    <section
      class={`trace${over ? ' over' : ''}`}
      aria-label="A real trace"
      onDragOver={(event) => {
        if (given) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        if (given) return
        event.preventDefault()
        setOver(false)
        void open([...(event.dataTransfer?.files ?? [])])
      }}
    >
      {!given && (
        <div class="transport" role="toolbar" aria-label="Recording">
          {chooser}
          <label class="check">
            <span class="faint">rules of</span>
            <select value={kernel} onChange={(event) => setKernel(event.currentTarget.value)}>
              <option value="">the trace's own kernel</option>
              {['v5.10', 'v5.18', 'v6.1', 'v6.12', 'v7.3'].map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <input
            type="search"
            placeholder="0x40000-0x5ffff=fsdax"
            aria-label="Ranges of device pages"
            title="frames of device pages, where no iomem tells: from-to=type"
            value={range}
            onInput={(event) => setRange(event.currentTarget.value)}
          />
          {files.current && (
            <button type="button" onClick={() => void open([])}>
              read again
            </button>
          )}
          <span class="faint">it is read in this page and leaves the machine by no road</span>
        </div>
      )}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {reading && (
        <Progress
          reading={reading}
          onStop={() => {
            stop.current?.()
            setReading(undefined)
          }}
        />
      )}
      {trace && !reading && <Opened key={trace.name} trace={trace} values={values} carried={given !== undefined} />}
      {!trace && !reading && (
        <div class="drop">
          <p class="big">Drop a recording here</p>
          <p>
            a <code>trace.dat</code>, or the text of <code>trace-cmd report</code>, tracefs or <code>perf script</code>; with it, if you have it, the machine's{' '}
            <code>/proc/iomem</code> (its name must contain “iomem”)
          </p>
          <p class="faint">No recording yet? “putpage record --script” writes a script that makes one, on a kernel with CONFIG_DEBUG_PAGE_REF.</p>
        </div>
      )}
    </section>
  )
}

function Opened({ trace, values, carried }: { trace: OpenedTrace; values: Readonly<Record<string, string>>; carried: boolean }) {
  const { timeline, report } = trace
  const [order, setOrder] = useState<Order>('findings first')
  const [filter, setFilter] = useState('')
  const number = (text: string | undefined, otherwise: number): number => (text !== undefined && Number.isFinite(Number(text)) ? Number(text) : otherwise)
  const [view, setView] = useState<View>(() => ({
    from: number(values.from, -timeline.end * 0.005),
    to: number(values.to, Math.max(1000, timeline.end * 1.005)),
    top: 0,
    // Few pages need not be small.
    rowHeight: timeline.pfns.length <= 12 ? 36 : timeline.pfns.length <= 24 ? 26 : 18,
  }))
  const [selected, setSelected] = useState<number | undefined>(() => {
    const wanted = values.page === undefined ? undefined : Number(values.page)
    // A report opens with what it was made to show.
    const finding = carried ? report.findings.find(({ severity }) => severity === 'error') : undefined
    const page = wanted !== undefined ? pageOf(timeline, wanted) : finding === undefined ? -1 : readable(timeline, finding)
    return page < 0 ? undefined : page
  })
  const [life, setLife] = useState<PageLife | undefined>()
  const [absent, setAbsent] = useState(false)
  useEffect(() => {
    let gone = false
    setAbsent(false)
    if (selected === undefined) setLife(undefined)
    else
      trace.life(selected).then((one) => {
        if (gone) return
        setLife(one)
        setAbsent(one === undefined)
      })
    return () => {
      gone = true
    }
  }, [selected, trace])
  useEffect(() => {
    replaceRoute('trace', {
      page: selected === undefined ? undefined : `0x${timeline.pfns[selected].toString(16)}`,
      from: Math.round(view.from),
      to: Math.round(view.to),
    })
  }, [selected, view])
  const show = (pfn: number): void => {
    const page = pageOf(timeline, pfn)
    if (page < 0) return
    setSelected(page)
    setView((now) => ({ ...now, top: 0 }))
    setFilter('')
  }
  const word = verdictOf(trace)
  return (
    <>
      <header class="tracehead">
        <b class={`headline ${word.look}`} role="status">
          {word.text}
        </b>
        <span>
          {trace.name}: {report.source}
          {report.release ? `, Linux ${report.release}` : ''}
          {report.kernel ? `, judged by the rules of ${report.kernel}` : ''}
        </span>
        <span>
          {report.deviceEvents.toLocaleString('en')} events on {report.pages.toLocaleString('en')} device pages in {duration(timeline.end, 1e6)}
          {report.lost > 0 || report.lostUncounted ? `; ✖ ${report.lostUncounted ? 'some' : report.lost.toLocaleString('en')} events lost` : ''}
          {report.absent.map(
            ({ cpu, absent, counted }) =>
              `; CPU ${cpu}: ${absent.toLocaleString('en')} of the ${counted.toLocaleString('en')} records that the kernel counted are not in the file`,
          )}
          {report.endsEarly ? `; ✖ ends early ${report.endsEarly}` : ''}
        </span>
        {trace.leftOut && <span class="faint">{trace.leftOut}</span>}
      </header>
      <div class={`tracebody${selected === undefined ? '' : ' withlife'}`}>
        <div class="tracemain">
          <div class="transport" role="toolbar" aria-label="Timeline">
            <input
              type="search"
              placeholder="page 0xfc…"
              aria-label="Find pages"
              value={filter}
              onInput={(event) => {
                setFilter(event.currentTarget.value)
                setView({ ...view, top: 0 })
              }}
            />
            <label class="check">
              <span class="faint">rows</span>
              <select
                value={order}
                onChange={(event) => {
                  setOrder(event.currentTarget.value as Order)
                  setView({ ...view, top: 0 })
                }}
              >
                {ORDERS.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            </label>
            <button type="button" onClick={() => setView({ ...view, from: -timeline.end * 0.005, to: Math.max(1000, timeline.end * 1.005) })}>
              all time
            </button>
            <button type="button" onClick={() => setView({ ...view, rowHeight: Math.min(60, view.rowHeight * 1.4) })} aria-label="higher rows">
              +
            </button>
            <button type="button" onClick={() => setView({ ...view, rowHeight: Math.max(2, view.rowHeight / 1.4) })} aria-label="lower rows">
              −
            </button>
            <span class="faint">shaded: above the free count; drag, wheel, Ctrl+wheel, keys w a s d</span>
          </div>
          <Timeline timeline={timeline} report={report} order={order} filter={filter} selected={selected} view={view} onView={setView} onSelect={setSelected} />
        </div>
        <Findings trace={trace} selected={selected === undefined ? undefined : timeline.pfns[selected]} onPage={show} />
      </div>
      {selected !== undefined && absent && (
        <section class="life" aria-label="Page">
          <p class="note">
            The events of page 0x{timeline.pfns[selected].toString(16)} are not in this report; its row above shows its count, reduced.{' '}
            <code>putpage trace FILE --pfn 0x{timeline.pfns[selected].toString(16)}</code> prints them.
          </p>
        </section>
      )}
      {life && selected !== undefined && !absent && (
        <Life key={life.pfn} life={life} end={timeline.end} model={modelWord(trace)} findings={report.findings} onClose={() => setSelected(undefined)} />
      )}
    </>
  )
}

/** Most events of a life that is looked at as a whole. */
const READABLE = 60
/** Of so many pages of a finding a report has the whole lives. */
const CARRIED = 20

/** The page that shows a finding: its example, unless that has so many events that nothing can be seen; then the one with the fewest. */
function readable(timeline: Data, { example, pages }: TraceFinding): number {
  const events = (page: number): number => timeline.offsets[page + 1] - timeline.offsets[page]
  const known = [...(example ? [example.page] : []), ...pages.slice(0, CARRIED)].map((page) => pageOf(timeline, Number(page))).filter((page) => page >= 0)
  if (known.length === 0) return -1
  return events(known[0]) <= READABLE ? known[0] : known.reduce((best, page) => (events(page) < events(best) ? page : best))
}
