/** The modelled source of a thread's functions, with the line where it stands, and what the step did. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Check } from '../../../src/ir/program.ts'
import { DONE } from '../../../src/ir/state.ts'
import { shortFile, sourceOf } from '../../../src/report/source.ts'
import type { follow, machineOf } from './path.ts'
import { mirrored, Source } from './source.tsx'

type Step = ReturnType<typeof follow>['told']['steps'][number]

interface CodePanelProps {
  readonly machine: ReturnType<typeof machineOf>
  readonly sources: Readonly<Record<string, string>>
  readonly state: Int32Array
  /** Whose source is shown; `pinned`: whoever moves. */
  readonly thread: number
  readonly pinned: number | undefined
  readonly onPin: (thread: number | undefined) => void
  /** The step that was just made, if it was this thread's. */
  readonly step: Step | undefined
  /** Checks that failed with it. */
  readonly checks: readonly Check[] | undefined
}

export function CodePanel({ machine, sources, state, thread, pinned, onPin, step, checks }: CodePanelProps) {
  const place = placeOf(machine, state, thread, step, checks)
  const shown = useShown(place)
  const stack = useRef<HTMLElement>(null)
  const frames = place?.at.stack.length ?? 0
  // A deep stack scrolls, so that lines of source are left below it; its innermost functions are what is looked at.
  useEffect(() => {
    if (stack.current) stack.current.scrollTop = stack.current.scrollHeight
  }, [frames, thread])
  return (
    <section class="panel code" aria-label="Modelled source">
      <header>
        <div class="tabs">
          {machine.threads.map((name, one) => (
            <button
              key={name}
              type="button"
              aria-pressed={one === thread}
              class={`t${one % 6}`}
              onClick={() => onPin(pinned === one ? undefined : one)}
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
          <nav class="stack" ref={stack} aria-label="Call stack, outermost first">
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
      {step && <StepNotes step={step} />}
    </section>
  )
}

/** What the step did, line by line. */
function StepNotes({ step }: { step: Step }) {
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
function placeOf(machine: ReturnType<typeof machineOf>, state: Int32Array, thread: number, step: Step | undefined, checks: readonly Check[] | undefined) {
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
