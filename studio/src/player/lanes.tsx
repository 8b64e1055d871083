/** The lanes: a row a thread, a column a step. Above them the whole way at a glance. */
import { useEffect, useRef } from 'preact/hooks'
import type { Check } from '../../../src/ir/program.ts'
import { deedOf, type LaneColumn } from './columns.ts'

interface LanesProps {
  readonly threads: readonly string[]
  readonly standing: readonly string[]
  readonly columns: readonly LaneColumn[]
  readonly at: number
  readonly given: number
  readonly failing: ReadonlyMap<number, readonly Check[]>
  readonly onGo: (at: number) => void
}

export function Lanes({ threads, standing, columns, at, given, failing, onGo }: LanesProps) {
  const box = useRef<HTMLDivElement>(null)
  const shown = columns.find(({ to }) => to >= at)?.to ?? 0
  const current = at === 0 ? 0 : shown
  const narrow = columns.filter(({ step }) => !step).length
  useEffect(() => {
    const cell = box.current?.querySelector<HTMLElement>('[data-current="true"]')
    const area = box.current
    if (!cell || !area) return
    const head = 150
    const left = cell.offsetLeft - head
    if (left < area.scrollLeft + 20 || cell.offsetLeft + cell.offsetWidth > area.scrollLeft + area.clientWidth - 40)
      area.scrollLeft = Math.max(0, left - (area.clientWidth - head) / 3)
  }, [current, columns.length])
  return (
    <section
      class="lanes scroll"
      ref={box}
      aria-label="Lanes: a row a thread, a column a step"
      tabIndex={0}
      style={{ '--steps': columns.length - narrow, '--folds': narrow }}
    >
      <table>
        <thead>
          <tr>
            <th scope="col" class="lane-name">
              <span class="faint">thread</span>
            </th>
            <th scope="col" class={`start${current === 0 ? ' current' : ''}`} data-current={current === 0}>
              <button type="button" onClick={() => onGo(0)} aria-current={current === 0 ? 'step' : undefined}>
                start
              </button>
            </th>
            {columns.map((column) => (
              <th
                key={column.to}
                scope="col"
                class={`${column.turn ? 'turn' : ''}${column.to === current ? ' current' : ''}${column.to > given ? ' own' : ''}`}
                data-current={column.to === current}
              >
                <button type="button" onClick={() => onGo(column.to)} aria-current={column.to === current ? 'step' : undefined}>
                  {column.repeats ? <span title="the cycle begins here">↻ </span> : ''}
                  {column.folded > 1 ? `${column.to - column.folded + 1}–${column.to}` : column.to}
                  {failing.has(column.to) ? <span class="bad"> ✖</span> : ''}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {threads.map((name, thread) => (
            <tr key={name} class={`t${thread % 6}`}>
              <th scope="row" class="lane-name">
                <span class="chip" /> {name}
                <small>{standing[thread]}</small>
              </th>
              <td class={`start${current === 0 ? ' current' : ''}`} />
              {columns.map((column) => (
                <td key={column.to} class={`${column.turn ? 'turn ' : ''}${column.to === current ? 'current ' : ''}${column.to > given ? 'own' : ''}`}>
                  {column.thread === thread && <Cell column={column} checks={failing.get(column.to)} onGo={onGo} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Cell({ column, checks, onGo }: { column: LaneColumn; checks: readonly Check[] | undefined; onGo: (at: number) => void }) {
  const { step } = column
  if (!step) {
    return (
      <button type="button" class="cell folded" tabIndex={-1} onClick={() => onGo(column.to)} title={`${column.folded} steps that only read`}>
        <span>
          … {column.folded} {column.folded === 1 ? 'read' : 'reads'}
        </span>
      </button>
    )
  }
  // A step may go through several functions: the one that fails is named.
  const failing = checks && step.moments.find(({ violations }) => violations.some((check) => checks.includes(check)))
  const { at } = failing ?? step
  // What a check that fails by itself read says more than what else the step did.
  const seen =
    failing && failing.changes.length === 0
      ? step.moments.slice(0, step.moments.indexOf(failing) + 1).findLast(({ reads }) => reads.length > 0)?.reads
      : undefined
  const end = column.ends === 'thread ended' ? 'ends' : column.ends === 'waits' ? 'then waits' : column.ends === 'preempted' ? 'delayed here' : undefined
  return (
    <button
      type="button"
      class={`cell${checks ? ' fails' : ''}${step.onlyReads ? ' reads' : ''}`}
      tabIndex={-1}
      onClick={() => onGo(column.to)}
      title={at.text}
    >
      <span class="fn">{at.function}</span>
      <span class="text">{at.text}</span>
      <span class="deed">{seen ? `reads ${seen.at(-1)}` : deedOf(step)}</span>
      {checks && (
        <span class="bad">
          ✖ {checks[0].kind}
          {checks.length > 1 ? ` and ${checks.length - 1} more` : ''}
        </span>
      )}
      {!checks && end && <span class={column.ends === 'preempted' ? 'delayed' : 'faint'}>{end}</span>}
    </button>
  )
}

interface OverviewProps {
  readonly threads: readonly string[]
  readonly columns: readonly LaneColumn[]
  readonly length: number
  readonly at: number
  readonly pageChanges: readonly number[]
  readonly failing: ReadonlyMap<number, readonly Check[]>
  readonly cycleFrom: number | undefined
  readonly onGo: (at: number) => void
}

/** The whole way: a mark a step in its thread's row, and a slider over it. */
export function Overview({ threads, columns, length, at, pageChanges, failing, cycleFrom, onGo }: OverviewProps) {
  const rows = threads.length
  const height = rows * 7 + 8
  const x = (step: number): number => ((step - 1) / Math.max(1, length)) * 1000
  const w = Math.max(0.6, 1000 / Math.max(1, length))
  return (
    <div class="overview">
      <svg viewBox={`0 0 1000 ${height}`} preserveAspectRatio="none" aria-hidden="true" style={{ height: `${height}px` }}>
        {cycleFrom !== undefined && <rect class="cycle" x={x(cycleFrom + 1)} y={0} width={1000 - x(cycleFrom + 1)} height={height} />}
        {columns.map((column) => {
          const steps = Math.max(1, column.folded)
          return (
            <rect
              key={column.to}
              class={`mark t${column.thread % 6}${column.step && !column.step.onlyReads ? '' : ' reads'}`}
              x={x(column.to - steps + 1)}
              y={column.thread * 7 + 1}
              width={w * steps * 0.92}
              height={5}
            />
          )
        })}
        {pageChanges.map((step) => (
          <rect key={`p${step}`} class="pagechange" x={x(step)} y={rows * 7 + 2} width={w * 0.92} height={3} />
        ))}
        {[...failing.keys()].map((step) => (
          <rect key={`f${step}`} class="failure" x={x(step)} y={0} width={w} height={height} />
        ))}
        <rect class="now" x={at === 0 ? 0 : x(at)} y={0} width={at === 0 ? 2 : w} height={height} />
      </svg>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`step ${at} of ${length}`}
        min={0}
        max={length}
        value={at}
        onInput={(event) => onGo(Number(event.currentTarget.value))}
      />
    </div>
  )
}
