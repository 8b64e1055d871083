/** Scenario by kernel: what the checker said, filtered, sorted, and asked again. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { RunSummary } from '../../../src/report/play.ts'
import { ErrorBox } from '../error-box.tsx'
import { replaceRoute } from '../route.ts'
import type { Backend, ModelList, News } from './backend.ts'
import { Cell, SIGN } from './cell.tsx'
import { Changes, listOf } from './changes.tsx'

const SHOW = ['all', 'violation', 'pass', 'vacuous', 'inconclusive', 'not run'] as const
const SORTS = ['name', 'worst first', 'states', 'time'] as const
const WORST: Record<RunSummary['verdict'] | 'none', number> = { violation: 0, vacuous: 1, inconclusive: 2, pass: 3, none: 4 }

interface VerdictsProps {
  readonly backend: Backend
  readonly model: ModelList
  readonly values: Readonly<Record<string, string>>
}

/** What is being searched now: by scenario and kernel. */
type Live = Readonly<Record<string, { readonly states: number; readonly seconds: number } | undefined>>

export const cellKey = (scenario: string, kernel: string, changes: readonly string[]): string => [scenario, kernel, ...[...changes].sort()].join(' ')

export function Verdicts({ backend, model, values }: VerdictsProps) {
  const { q = '', show = 'all', sort = 'name' } = values
  const plus = listOf(values.with)
  const minus = listOf(values.without)
  const changes = [...plus.map((name) => `+${name}`), ...minus.map((name) => `-${name}`)]
  const [results, setResults] = useState<ReadonlyMap<string, RunSummary>>(new Map())
  const [loaded, setLoaded] = useState(false)
  const [error, setError] = useState<string | undefined>()
  /** Searches that could not be made, by cell: why. */
  const [failed, setFailed] = useState<ReadonlyMap<string, string>>(new Map())
  const [live, setLive] = useState<Live>({})
  const [batch, setBatch] = useState<
    { readonly stop: () => void; readonly runs: ReadonlySet<string>; readonly told: ReadonlySet<string>; readonly stopping?: true } | undefined
  >()
  const set = (next: Record<string, string | undefined>): void => {
    replaceRoute('verdicts', { ...values, ...next })
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
  useEffect(() => {
    backend.verdicts().then(
      (list) => {
        setResults(new Map(list.map((one) => [cellKey(one.scenario, one.kernel, one.changes), one])))
        setLoaded(true)
      },
      (thrown) => setError(String(thrown instanceof Error ? thrown.message : thrown)),
    )
  }, [backend])

  const kernels = model.kernels.map(({ name }) => name)
  /** A scenario makes sense on its kernels, and where what it needs is switched on. */
  const applies = ({ kernels: own, needs }: ModelList['scenarios'][number], kernel: string): boolean =>
    own.includes(kernel) ||
    (needs.length > 0 &&
      needs.every((name) => !minus.includes(name) && (plus.includes(name) || model.switches.find((one) => one.name === name)?.in.includes(kernel))))
  const rows = useMemo(() => {
    const words = q
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '')
    const resultOf = (scenario: string, kernel: string): RunSummary | undefined => results.get(cellKey(scenario, kernel, changes))
    const list = model.scenarios.flatMap((scenario) => {
      const cells = kernels.map((kernel) => ({ kernel, applies: applies(scenario, kernel), result: resultOf(scenario.name, kernel) }))
      const text =
        `${scenario.name} ${scenario.about} ${scenario.shows.join(' ')} ${cells.flatMap(({ result }) => result?.kinds ?? []).join(' ')}`.toLowerCase()
      if (!words.every((word) => text.includes(word))) return []
      const fits = cells.some(({ applies, result }) => applies && (show === 'all' || (show === 'not run' ? !result : result?.verdict === show)))
      return fits ? [{ scenario, cells }] : []
    })
    const worst = (row: (typeof list)[number]): number => Math.min(...row.cells.map(({ result }) => WORST[result?.verdict ?? 'none']))
    const most = (row: (typeof list)[number], of: (run: RunSummary) => number): number =>
      Math.max(0, ...row.cells.map(({ result }) => (result ? of(result) : 0)))
    return list.sort(
      (a, b) =>
        (sort === 'worst first'
          ? worst(a) - worst(b)
          : sort === 'states'
            ? most(b, (run) => run.states) - most(a, (run) => run.states)
            : sort === 'time'
              ? most(b, (run) => run.seconds) - most(a, (run) => run.seconds)
              : 0) || (a.scenario.name < b.scenario.name ? -1 : 1),
    )
  }, [model, results, q, show, sort, changes.join()])

  const counts = new Map<string, number>()
  for (const one of results.values())
    if ([...one.changes].sort().join() === [...changes].sort().join()) counts.set(one.verdict, (counts.get(one.verdict) ?? 0) + 1)

  const hear = (news: News): void => {
    if (news.kind === 'end') {
      setBatch(undefined)
      setLive({})
      return
    }
    if (news.kind === 'progress') {
      setLive((now) => ({ ...now, [`${news.scenario} ${news.kernel}`]: { states: news.states, seconds: news.seconds } }))
      return
    }
    const [scenario, kernel] = news.kind === 'done' ? [news.summary.scenario, news.summary.kernel] : [news.scenario, news.kernel]
    const cell = `${scenario} ${kernel}`
    setLive((now) => ({ ...now, [cell]: undefined }))
    setBatch((now) => now && { ...now, told: new Set(now.told).add(cell) })
    if (news.kind === 'done') setResults((now) => new Map(now).set(cellKey(scenario, kernel, news.summary.changes), news.summary))
    else setFailed((now) => new Map(now).set(cell, news.message))
  }
  const run = (runs: readonly { readonly scenario: string; readonly kernel: string }[]): void => {
    setError(undefined)
    setFailed(new Map())
    backend.search(runs, plus, minus, hear).then(
      (stop) => setBatch({ stop, runs: new Set(runs.map((one) => `${one.scenario} ${one.kernel}`)), told: new Set() }),
      (thrown) => setError(String(thrown instanceof Error ? thrown.message : thrown)),
    )
  }
  const shown = rows.flatMap(({ scenario, cells }) => cells.flatMap(({ kernel, applies }) => (applies ? [{ scenario: scenario.name, kernel }] : [])))
  const shallow = rows.filter(({ scenario }) => !scenario.deep)
  const usual = shallow.flatMap(({ scenario, cells }) => cells.flatMap(({ kernel, applies }) => (applies ? [{ scenario: scenario.name, kernel }] : [])))

  return (
    <div class="verdicts">
      <div class="transport" role="toolbar" aria-label="Filter and run">
        <input
          type="search"
          placeholder="search scenarios, bugs, kinds"
          aria-label="Search"
          value={q}
          onInput={(event) => set({ q: event.currentTarget.value })}
        />
        <label class="check">
          <span class="faint">show</span>
          <select value={show} onChange={(event) => set({ show: event.currentTarget.value })}>
            {SHOW.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label class="check">
          <span class="faint">sort by</span>
          <select value={sort} onChange={(event) => set({ sort: event.currentTarget.value })}>
            {SORTS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <Changes model={model} plus={plus} minus={minus} onChange={(nextPlus, nextMinus) => set({ with: nextPlus.join(','), without: nextMinus.join(',') })} />
        {batch ? (
          <>
            <button
              type="button"
              class="play"
              disabled={batch.stopping}
              onClick={() => {
                batch.stop()
                setBatch({ ...batch, stopping: true })
              }}
            >
              ■ {batch.stopping ? 'stopping …' : 'stop'}
            </button>
            <progress max={batch.runs.size} value={batch.told.size} aria-label="Searches done" />
            <output class="where">
              {batch.told.size} <span class="faint">of {batch.runs.size}</span>
            </output>
            {batch.told.size === 0 && Object.keys(live).length === 0 && (
              <span class="faint" role="status">
                the workers load the model …
              </span>
            )}
          </>
        ) : (
          <button
            type="button"
            class="play"
            onClick={() => run(usual.length > 0 ? usual : shown)}
            disabled={shown.length === 0}
            title="search what is shown; the large ones marked deep only by themselves"
          >
            ▶ run {usual.length > 0 ? usual.length : shown.length} searches
          </button>
        )}
        <output class="tally" aria-live="polite">
          {(['violation', 'vacuous', 'inconclusive', 'pass'] as const).map((one) =>
            counts.has(one) ? (
              <span key={one} class={`v-${one}`}>
                {SIGN[one]} {counts.get(one)} {one}
              </span>
            ) : null,
          )}
        </output>
      </div>
      {error && (
        <ErrorBox text={error}>
          <button type="button" onClick={() => setError(undefined)}>
            dismiss
          </button>
        </ErrorBox>
      )}
      {failed.size > 0 && (
        <ErrorBox text={[...failed].slice(0, 1).map(([cell, why]) => `${cell}: ${why}`)[0]}>
          {failed.size > 1 && <b>The same or another for {failed.size - 1} other searches. </b>}
          <button type="button" onClick={() => setFailed(new Map())}>
            dismiss
          </button>
        </ErrorBox>
      )}
      {loaded && results.size === 0 && !batch && (
        <p class="note">Nothing has been searched yet. Run what is shown, or one row or cell: most take less than a second, all of them some minutes.</p>
      )}
      {rows.length === 0 ? (
        <p class="empty">No scenario fits. Shorten the search, or show all.</p>
      ) : (
        <section class="scroll matrix" aria-label="Verdicts: a row a scenario, a column a kernel" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">scenario ({rows.length})</th>
                {model.kernels.map(({ name, about }) => (
                  <th scope="col" key={name} title={about}>
                    {name}
                    {changes.length > 0 && <small> {changes.join(' ')}</small>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ scenario, cells }) => (
                <tr key={scenario.name}>
                  <th scope="row" title={`${scenario.about}\n${scenario.bounds}`}>
                    <div class="rowhead">
                      <button
                        type="button"
                        class="go"
                        aria-label={`run ${scenario.name}`}
                        title="run this row"
                        disabled={batch !== undefined}
                        onClick={() => run(cells.flatMap(({ kernel, applies }) => (applies ? [{ scenario: scenario.name, kernel }] : [])))}
                      >
                        ▶
                      </button>
                      <span>
                        {scenario.name}
                        {scenario.deep && <small> deep</small>}
                        <small class="about">{scenario.about}</small>
                      </span>
                    </div>
                  </th>
                  {cells.map(({ kernel, applies, result }) => (
                    <td key={kernel} class={result ? `v-${result.verdict}` : ''}>
                      {applies ? (
                        <Cell
                          scenario={scenario.name}
                          kernel={kernel}
                          plus={plus}
                          minus={minus}
                          result={result}
                          failed={failed.get(`${scenario.name} ${kernel}`)}
                          waiting={batch?.runs.has(`${scenario.name} ${kernel}`) === true && !batch.told.has(`${scenario.name} ${kernel}`)}
                          live={live[`${scenario.name} ${kernel}`]}
                          busy={batch !== undefined}
                          onRun={() => run([{ scenario: scenario.name, kernel }])}
                        />
                      ) : (
                        <span class="faint" title="the scenario makes no sense on this kernel">
                          –
                        </span>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  )
}
