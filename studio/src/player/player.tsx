/** A counterexample, played: lanes, source and state in step; forwards, backwards, and other ways than the one that was found. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Check } from '../../../src/ir/program.ts'
import { DONE } from '../../../src/ir/state.ts'
import type { PlayRun } from '../../../src/report/play.ts'
import { shortFile, sourceOf } from '../../../src/report/source.ts'
import { waitingOn } from '../../../src/report/waits.ts'
import { columnsOf } from './columns.ts'
import { Keys } from './keys.tsx'
import { Lanes, Overview } from './lanes.tsx'
import { follow, formatMoves, type Move, machineOf, parseMoves, wrongWith } from './path.ts'
import { mirrored, Source } from './source.tsx'
import { StatePanel } from './state-panel.tsx'
import { Summary } from './summary.tsx'
import { layoutOf, viewOfState } from './view-of-state.ts'
import { WhatIf } from './what-if.tsx'

/** Where one is in a run; what the address holds. */
export interface Position {
  readonly failure: number | undefined
  readonly at: number | undefined
  /** Steps of the counterexample before those taken by hand. */
  readonly from: number | undefined
  readonly own: readonly Move[]
}

export function positionOf(values: Readonly<Record<string, string>>, run: PlayRun): Position {
  const check = values.check
  const index = check === undefined ? 0 : run.failures.findIndex(({ id }) => id === check)
  const number = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined)
  return { failure: run.failures.length === 0 ? undefined : Math.max(0, index), at: number(values.at), from: number(values.from), own: parseMoves(values.then) }
}

export function addressOf(position: Position, run: PlayRun): Record<string, string | number | undefined> {
  const { failure, at, from, own } = position
  return { check: failure === undefined || failure === 0 ? undefined : run.failures[failure].id, at, from, then: own.length > 0 ? formatMoves(own) : undefined }
}

interface PlayerProps {
  readonly run: PlayRun
  readonly sources: Readonly<Record<string, string>>
  readonly position: Position
  readonly onPosition: (position: Position) => void
}

export function Player({ run, sources, position, onPosition }: PlayerProps) {
  const machine = useMemo(() => machineOf(run), [run])
  const layout = useMemo(() => layoutOf(run, machine.interpreter.shape, machine.threads), [machine])
  const { failure, from, own } = position
  const moves = formatMoves(own)
  const path = useMemo(() => follow(machine, failure, from, own), [machine, failure, from, moves])
  const whole = useMemo(() => follow(machine, failure, undefined, []), [machine, failure])
  const [folded, setFolded] = useState(true)
  const [all, setAll] = useState(false)
  const [playing, setPlaying] = useState(false)
  const [pinned, setPinned] = useState<number | undefined>(undefined)
  const [page, setPage] = useState(0)
  const [help, setHelp] = useState(false)
  const length = path.steps.length
  const at = Math.min(position.at ?? length, length)
  const columns = useMemo(() => columnsOf(path.told, folded), [path, folded])
  const failing = useMemo(() => failuresBySteps(machine, path), [machine, path])
  const pageChanges = useMemo(() => changesOfPage(layout, path.states, page), [layout, path, page])

  const to = (next: number): void => onPosition({ ...position, at: Math.max(0, Math.min(length, next)) })
  const stops = [0, ...columns.map((column) => column.to)]
  const forth = (): void => to(stops.find((stop) => stop > at) ?? (path.cycleFrom !== undefined && at >= length ? path.cycleFrom + 1 : length))
  const back = (): void => to([...stops].reverse().find((stop) => stop < at) ?? 0)
  const nextOf = (list: readonly number[]): void => {
    const next = list.find((stop) => stop > at)
    if (next !== undefined) to(next)
  }
  const previousOf = (list: readonly number[]): void => {
    const before = [...list].reverse().find((stop) => stop < at)
    if (before !== undefined) to(before)
  }
  const turns = columns.filter(({ turn }) => turn).map((column) => column.to - Math.max(1, column.folded) + 1)
  const failures = [...failing.keys()].sort((a, b) => a - b)
  const jump = (): void => {
    const next = failures.find((stop) => stop > at) ?? failures.at(-1)
    if (next !== undefined) to(next)
    else to(length)
  }

  const act = useRef<Record<string, () => void>>({})
  act.current = {
    ArrowRight: forth,
    ArrowLeft: back,
    l: forth,
    h: back,
    'Shift+ArrowRight': () => nextOf(turns),
    'Shift+ArrowLeft': () => previousOf(turns),
    n: () => nextOf(turns),
    N: () => previousOf(turns),
    p: () => nextOf(pageChanges),
    P: () => previousOf(pageChanges),
    v: jump,
    Home: () => to(0),
    End: () => to(length),
    ' ': () => setPlaying((now) => !now),
    f: () => setFolded((now) => !now),
    a: () => setAll((now) => !now),
    '0': () => setPinned(undefined),
    '?': () => setHelp((now) => !now),
    Escape: () => setHelp(false),
    ...Object.fromEntries(machine.threads.map((_, thread) => [String(thread + 1), () => setPinned(thread)])),
  }
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (/^(SELECT|TEXTAREA)$/.test(target.tagName) || (target.tagName === 'INPUT' && (target as HTMLInputElement).type !== 'range')) return
      // A button's own keys stay its own; the arrows scroll no lane and no source, they step.
      if (event.key === ' ' && (target.tagName === 'BUTTON' || target.tagName === 'SUMMARY')) return
      const key = event.shiftKey && event.key.startsWith('Arrow') ? `Shift+${event.key}` : event.key
      const action = act.current[key]
      if (!action) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  useEffect(() => {
    if (!playing) return
    const timer = setTimeout(() => {
      if (at >= length && path.cycleFrom === undefined) setPlaying(false)
      else forth()
    }, 700)
    return () => clearTimeout(timer)
  }, [playing, at, length])

  const state = path.states[at]
  const before = path.states[Math.max(0, at - 1)]
  const column = columns.find((one) => one.to === at)
  // What a folded column changed is what all its steps changed: nothing a reader must see.
  const view = useMemo(() => viewOfState(layout, state, column && column.folded > 1 ? path.states[at - column.folded] : before), [layout, path, at, folded])
  const end = useMemo(() => viewOfState(layout, whole.states[whole.states.length - 1], whole.states[whole.states.length - 1]), [layout, whole])
  const step = at > 0 ? path.told.steps[at - 1] : undefined
  const shape = machine.interpreter.shape
  const standing = machine.threads.map((_, thread) => {
    const counter = state[shape.threadBase[thread]]
    if (counter === DONE) return '■ has ended'
    const waits = waitingOn(run.program, shape, state, thread)
    return waits ? `‖ waits: ${waits}` : `in ${run.program.threads[thread].nodes[counter].at.stack.at(-1)?.name ?? ''}()`
  })
  const thread = pinned ?? step?.thread ?? 0
  const place = placeOf(machine, state, thread, step?.thread === thread ? step : undefined, failing.get(at))
  const shown = useShown(place)
  const nextMove: Move | undefined = path.steps[at] ? [path.steps[at].transition.thread, ...path.steps[at].transition.choices] : undefined

  const take = (move: Move): void => {
    setPlaying(false)
    if (nextMove && nextMove.join() === move.join()) {
      to(at + 1)
      return
    }
    const given = Math.min(at, path.given)
    const mine = path.steps.slice(given, at).map(({ transition }): Move => [transition.thread, ...transition.choices])
    onPosition({ failure, at: at + 1, from: given, own: [...mine, move] })
  }

  return (
    <div class="player">
      <Summary
        machine={machine}
        failure={failure}
        path={whole}
        end={end}
        onGo={(stop) => onPosition({ failure, at: stop, from: undefined, own: [] })}
        onFailure={(next) => onPosition({ failure: next, at: undefined, from: undefined, own: [] })}
      />
      <div class="transport" role="toolbar" aria-label="Stepping">
        <button type="button" onClick={() => to(0)} title="to the start (Home)">
          |◀<span class="sr">to the start</span>
        </button>
        <button type="button" onClick={() => previousOf(turns)} title="previous context switch (Shift+←)">
          ⇤<span class="sr">previous context switch</span>
        </button>
        <button type="button" onClick={back} title="back (←)">
          ◀<span class="sr">step back</span>
        </button>
        <button type="button" class="play" onClick={() => setPlaying(!playing)} title="play or pause (space)" aria-pressed={playing}>
          {playing ? '❚❚ pause' : '▶ play'}
        </button>
        <button type="button" onClick={forth} title="forwards (→)">
          ▶<span class="sr">step forwards</span>
        </button>
        <button type="button" onClick={() => nextOf(turns)} title="next context switch (Shift+→, n)">
          ⇥ switch
        </button>
        <button type="button" onClick={jump} title="to the violation (v)" disabled={failures.length === 0}>
          ✖ violation
        </button>
        <span class="group">
          <button type="button" onClick={() => nextOf(pageChanges)} title="next change of the page (p)" disabled={layout.pages.length === 0}>
            ● next change of
          </button>
          <select aria-label="Page" value={String(page)} onChange={(event) => setPage(Number(event.currentTarget.value))}>
            {layout.pages.map(({ name }, i) => (
              <option key={name} value={String(i)}>
                {name}
              </option>
            ))}
          </select>
        </span>
        <output class="where" aria-live="polite">
          {at === 0 ? 'start' : `step ${at}`} <span class="faint">of {length}</span>
          {at > path.given && <span class="own-mark"> by hand</span>}
        </output>
        <label class="check">
          <input type="checkbox" checked={folded} onChange={(event) => setFolded(event.currentTarget.checked)} /> fold reads
        </label>
        <button type="button" onClick={() => setHelp(!help)} title="keys (?)" aria-expanded={help}>
          keys
        </button>
      </div>
      {help && <Keys onClose={() => setHelp(false)} />}
      <Overview
        threads={machine.threads}
        columns={columns}
        length={length}
        at={at}
        pageChanges={pageChanges}
        failing={failing}
        cycleFrom={path.cycleFrom}
        onGo={to}
      />
      <Lanes threads={machine.threads} standing={standing} columns={columns} at={at} given={path.given} failing={failing} onGo={to} />
      <div class="panes">
        <section class="panel code" aria-label="Modelled source">
          <header>
            <div class="tabs">
              {machine.threads.map((name, one) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={one === thread}
                  class={`t${one % 6}`}
                  onClick={() => setPinned(pinned === one ? undefined : one)}
                  title={pinned === one ? 'follow the thread that moves (0)' : `always this thread (${one + 1})`}
                >
                  <span class="chip" /> {name}
                  {pinned === one ? ' ⚲' : ''}
                </button>
              ))}
            </div>
            <span class="faint">{place ? (place.kind === 'ran' ? '● this step' : '▷ its next step') : 'has ended'}</span>
          </header>
          {place && shown.frame ? (
            <>
              <nav class="stack" aria-label="Call stack, outermost first">
                {[...place.at.stack].reverse().map((frame, i, list) => (
                  <button
                    type="button"
                    key={`${frame.function}${i}`}
                    class={list.length - 1 - i === shown.depth ? 'here' : ''}
                    onClick={() => shown.pick(list.length - 1 - i)}
                  >
                    {frame.function}
                  </button>
                ))}
              </nav>
              <p class="mirror">
                {shown.frame.file}:{shown.frame.line}
                {mirrored(shown.frame.file, sources[shown.frame.file]) && (
                  <>
                    {' '}
                    mirrors <b>{shown.frame.function}()</b> of <b>{mirrored(shown.frame.file, sources[shown.frame.file])}</b>
                  </>
                )}
              </p>
              <Source
                file={shown.frame.file}
                text={sources[shown.frame.file]}
                marks={{
                  current: shown.frame.line,
                  kind: place.kind,
                  also: shown.depth === 0 ? place.also.filter(({ file }) => file === shown.frame?.file).map(({ line }) => line) : [],
                  failed: place.failed && shown.depth === 0,
                }}
              />
            </>
          ) : (
            <p class="empty">{machine.threads[thread]} has ended.</p>
          )}
          {step && step.thread === thread && <StepNotes step={step} />}
        </section>
        <StatePanel view={view} all={all} onAll={setAll} />
        <WhatIf
          machine={machine}
          state={state}
          fatal={path.fatal && at === length}
          next={nextMove}
          own={own.length}
          onTake={take}
          onBack={() => onPosition({ failure, at: Math.min(at, path.given), from: undefined, own: [] })}
        />
      </div>
    </div>
  )
}

/** What the step did, line by line. */
function StepNotes({ step }: { step: ReturnType<typeof follow>['told']['steps'][number] }) {
  return (
    <ol class="notes" aria-label="What this step did">
      {step.choices.map((choice) => (
        <li key={choice} class="choice">
          {choice}
        </li>
      ))}
      {step.moments.map((moment, i) => (
        <li key={`${moment.at.file}${moment.at.line}${i}`}>
          <span class="faint">
            {moment.at.function} {shortFile(moment.at.file)}:{moment.at.line}
          </span>{' '}
          {moment.changes.length > 0 ? moment.changes.map(({ said }) => said).join(', ') : moment.reads.length > 0 ? `reads ${moment.reads.join(', ')}` : ''}
          {moment.violations.map((check) => (
            <b class="bad" key={check.id}>
              {' '}
              ✖ {check.kind}: {check.name}
            </b>
          ))}
        </li>
      ))}
      {step.ghost.length > 0 && <li class="faint">ledger: {step.ghost.map(({ said }) => said).join(', ')}</li>}
    </ol>
  )
}

/** Where a thread stands: in the step that was just made, or before its next one. */
function placeOf(
  machine: ReturnType<typeof machineOf>,
  state: Int32Array,
  thread: number,
  step: ReturnType<typeof follow>['told']['steps'][number] | undefined,
  checks: readonly Check[] | undefined,
) {
  if (step) {
    const failed = step.moments.find(({ violations }) => violations.length > 0)
    const at = checks && failed ? failed.at : step.at
    return { at, kind: 'ran' as const, also: step.moments.map((moment) => moment.at), failed: checks !== undefined && failed !== undefined }
  }
  const counter = state[machine.interpreter.shape.threadBase[thread]]
  if (counter === DONE) return undefined
  return { at: sourceOf(machine.run.program.threads[thread].nodes[counter].at), kind: 'next' as const, also: [], failed: false }
}

/** The frame of the call stack that is looked at: the innermost, until another is picked. */
function useShown(place: ReturnType<typeof placeOf>) {
  const key = place ? place.at.stack.map((frame) => `${frame.function}:${frame.line}`).join() : ''
  const [picked, setPicked] = useState<{ key: string; depth: number }>({ key: '', depth: 0 })
  const depth = picked.key === key ? picked.depth : 0
  return { depth, frame: place?.at.stack[depth], pick: (next: number) => setPicked({ key, depth: next }) }
}

/** Checks that fail in a step or in the state after it, by the number of the step. */
function failuresBySteps(machine: ReturnType<typeof machineOf>, path: ReturnType<typeof follow>): Map<number, readonly Check[]> {
  const found = new Map<number, readonly Check[]>()
  const known = new Set<string>()
  path.told.steps.forEach((step, i) => {
    const state = path.states[i + 1]
    const last = i === path.steps.length - 1
    const wrong = [...step.violations, ...(last && path.fatal ? [] : wrongWith(machine, state))]
    // A property that stays broken is told once.
    const fresh = wrong.filter((check) => !known.has(check.id))
    for (const check of fresh) known.add(check.id)
    if (fresh.length > 0) found.set(i + 1, fresh)
  })
  // A livelock fails in no state: its cycle ends here.
  const livelock = machine.run.program.checks.filter(({ kind }) => kind === 'livelock')
  if (path.cycleFrom !== undefined) found.set(path.steps.length, [...(found.get(path.steps.length) ?? []), ...livelock])
  return found
}

/** The steps that change a page: its count, its holders or another of its fields. */
function changesOfPage(layout: ReturnType<typeof layoutOf>, states: readonly Int32Array[], page: number): number[] {
  const name = layout.pages[page]?.name
  const cells = layout.cells.filter((cell) => cell.part === 'page' && name !== undefined && cell.name.startsWith(`${name}.`))
  return states.flatMap((state, i) => (i > 0 && cells.some(({ at }) => state[at] !== states[i - 1][at]) ? [i] : []))
}
