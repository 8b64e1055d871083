/** A counterexample, played: lanes, source and state in step; forwards, backwards, and other ways than the one that was found. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { DONE } from '../../../src/ir/state.ts'
import type { PlayRun } from '../../../src/report/play.ts'
import { waitingOn } from '../../../src/report/waits.ts'
import { CodePanel } from './code-panel.tsx'
import { columnsOf } from './columns.ts'
import { Keys } from './keys.tsx'
import { Lanes, Overview } from './lanes.tsx'
import { follow, formatMoves, type Move, machineOf, parseMoves } from './path.ts'
import { isSingleKey, useSingleKeys } from './single-keys.ts'
import { StatePanel } from './state-panel.tsx'
import { changesOfPage, failuresBySteps } from './stops.ts'
import { Summary } from './summary.tsx'
import { Transport } from './transport.tsx'
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
  const [singleKeys, setSingleKeys] = useSingleKeys()
  const length = path.steps.length
  const at = Math.min(position.at ?? length, length)
  const columns = useMemo(() => columnsOf(path.told, folded), [path, folded])
  const failing = useMemo(() => failuresBySteps(machine, path), [machine, path])
  const foundFailing = useMemo(() => failuresBySteps(machine, whole), [machine, whole])
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

  const keysOn = useRef(singleKeys)
  keysOn.current = singleKeys
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
      if (event.ctrlKey || event.metaKey || event.altKey || (!keysOn.current && isSingleKey(event.key))) return
      const input = target instanceof HTMLInputElement ? target.type : undefined
      if (/^(SELECT|TEXTAREA)$/.test(target.tagName) || (input !== undefined && input !== 'range' && input !== 'checkbox')) return
      // A button's own keys stay its own; the arrows scroll no lane and no source, they step.
      if (event.key === ' ' && (/^(BUTTON|SUMMARY)$/.test(target.tagName) || input === 'checkbox')) return
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
        failing={foundFailing}
        own={own.length}
        end={end}
        layout={layout}
        onGo={(stop) => onPosition({ failure, at: stop, from: undefined, own: [] })}
        onFailure={(next) => onPosition({ failure: next, at: undefined, from: undefined, own: [] })}
      />
      <Transport
        act={(key) => act.current[key]?.()}
        playing={playing}
        failures={failures.length}
        pages={layout.pages.map(({ name }) => name)}
        page={page}
        onPage={setPage}
        at={at}
        length={length}
        byHand={at > path.given}
        folded={folded}
        onFolded={setFolded}
        help={help}
      />
      {help && <Keys single={singleKeys} onSingle={setSingleKeys} onClose={() => setHelp(false)} />}
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
        <CodePanel
          machine={machine}
          sources={sources}
          state={state}
          thread={thread}
          step={step?.thread === thread ? step : undefined}
          checks={failing.get(at)}
          pinned={pinned}
          onPin={setPinned}
        />
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
