/** A report of `putpage check --html`: the player, with the runs it carries, and the verdicts of the others. */

import { useEffect, useState } from 'preact/hooks'
import type { PlayDocument, PlayRun, RunSummary } from '../../src/report/play.ts'
import { addressOf, Player, positionOf } from './player/player.tsx'
import { formatRoute, go, replaceRoute, useRoute } from './route.ts'
import { ThemeButton } from './theme.tsx'

export const runName = ({ scenario, kernel, changes }: RunSummary): string => [scenario, kernel, ...changes].join(' ')

/** For somebody who was sent the file and has never seen one. */
const WHAT_THIS_IS = 'a model of kernel code: below is one order of its steps that fails a check'

export function Report({ document: made }: { document: PlayDocument }) {
  const route = useRoute()
  const all = route.view === 'runs' || made.runs.length === 0
  const run = made.runs.find((one) => runName(one) === route.values.run) ?? made.runs[0]
  return (
    <>
      <header class="top">
        <span class="name">putpage</span>
        <nav aria-label="Runs">
          {made.others.length === 0 && made.runs.length === 1 && run.failures.length > 0 && <span class="faint">{WHAT_THIS_IS}</span>}
          {made.runs.length > 0 && made.runs.length + made.others.length > 1 && (
            <label class="check">
              <span class="faint">counterexamples of</span>
              <select value={runName(run)} onChange={(event) => go('play', { run: event.currentTarget.value })}>
                {made.runs.map((one) => (
                  <option key={runName(one)} value={runName(one)}>
                    {runName(one)}: {[...new Set(one.kinds)].join(', ') || one.verdict}
                  </option>
                ))}
              </select>
            </label>
          )}
          {(made.others.length > 0 || made.runs.length > 1) && (
            <a href={formatRoute('runs', {})} aria-current={all ? 'page' : undefined}>
              all {made.runs.length + made.others.length} runs
            </a>
          )}
        </nav>
        <ThemeButton />
      </header>
      <main>{all ? <Runs document={made} /> : <Played key={runName(run)} run={run} document={made} values={route.values} />}</main>
    </>
  )
}

function Played({ run, document: made, values }: { run: PlayRun; document: PlayDocument; values: Readonly<Record<string, string>> }) {
  const [position, setPosition] = useState(() => positionOf(values, run))
  useEffect(() => setPosition(positionOf(values, run)), [values])
  return (
    <Player
      run={run}
      sources={made.sources}
      position={position}
      onPosition={(next) => {
        setPosition(next)
        replaceRoute('play', { run: made.runs.length > 1 ? runName(run) : undefined, ...addressOf(next, run) })
      }}
    />
  )
}

const SIGN: Record<RunSummary['verdict'], string> = { pass: '✓', violation: '✖', vacuous: '∅', inconclusive: '?' }

function Runs({ document: made }: { document: PlayDocument }) {
  const runs = [...made.runs, ...made.others].sort((a, b) => (runName(a) < runName(b) ? -1 : 1))
  const carried = new Set(made.runs.map(runName))
  return (
    <section class="scroll list" aria-label="Runs" tabIndex={0}>
      {made.leftOut && <p class="note">{made.leftOut}</p>}
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">scenario</th>
            <th scope="col">kernel</th>
            <th scope="col">verdict</th>
            <th scope="col" class="number">
              states
            </th>
            <th scope="col" class="number">
              seconds
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={runName(run)}>
              <th scope="row">{carried.has(runName(run)) ? <a href={formatRoute('play', { run: runName(run) })}>{run.scenario}</a> : run.scenario}</th>
              <td>{[run.kernel, ...run.changes].join(' ')}</td>
              <td class={run.verdict === 'pass' ? 'good' : run.verdict === 'inconclusive' ? '' : 'bad'}>
                {SIGN[run.verdict]} {run.verdict}
                {run.kinds.length > 0 ? `: ${[...new Set(run.kinds)].join(', ')}` : ''}
                {run.limit ? `: ${run.limit}` : ''}
                {run.never.length > 0 && run.verdict === 'vacuous' ? `: never ${run.never.join(', ')}` : ''}
              </td>
              <td class="number">{run.states.toLocaleString('en')}</td>
              <td class="number">{run.seconds.toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
