/** From the state that is shown: what each thread could do next, and what the properties say of the state. */

import { describeWaiting } from '../../../src/engine/hang.ts'
import { evaluate } from '../../../src/ir/evaluate.ts'
import type { Check } from '../../../src/ir/program.ts'
import { DONE } from '../../../src/ir/state.ts'
import { describeTrace } from '../../../src/report/describe.ts'
import { shortFile } from '../../../src/report/source.ts'
import { deedOf } from './columns.ts'
import { type Machine, type Move, wrongWith } from './path.ts'

interface WhatIfProps {
  readonly machine: Machine
  readonly state: Int32Array
  /** A fatal check ended the path here. */
  readonly fatal: boolean
  /** The step that the present way takes next. */
  readonly next: Move | undefined
  readonly own: number
  readonly onTake: (move: Move) => void
  readonly onBack: () => void
}

export function WhatIf({ machine, state, fatal, next, own, onTake, onBack }: WhatIfProps) {
  const { run, interpreter, threads } = machine
  const waiting = describeWaiting(run.program, interpreter.shape, state)
  const wrong = wrongWith(machine, state)
  return (
    <section class="panel whatif" aria-label="What if: the steps that could come next">
      <header>
        <h2>What if</h2>
        {own > 0 && (
          <button type="button" onClick={onBack}>
            drop my {own} {own === 1 ? 'step' : 'steps'}
          </button>
        )}
      </header>
      <section class="scroll" aria-label="Steps to take from here" tabIndex={0}>
        {fatal ? (
          <p class="note">The path ends here: a check failed after which nothing is certain. Step back to try another way.</p>
        ) : (
          threads.map((name, thread) => {
            const enabled = interpreter.threadSuccessors(state, thread)
            const wait = waiting.find((one) => one.thread === thread)
            const done = state[interpreter.shape.threadBase[thread]] === DONE
            return (
              <div key={name} class={`mover t${thread % 6}`}>
                <h3>
                  <span class="chip" /> {name}
                  {done && <small>has ended</small>}
                  {!done && enabled.length === 0 && (
                    <small>
                      cannot move: {wait?.what ?? 'blocked'}
                      {wait?.on !== undefined ? `, for ${threads[wait.on]}` : ''}
                      {wait?.condition === true ? '; what it waits for holds' : ''}
                    </small>
                  )}
                </h3>
                {enabled.map((transition) => {
                  const told = describeTrace(run.program, { check: 0, steps: [{ from: state, transition }] }).steps[0]
                  const move: Move = [thread, ...transition.choices]
                  const same = next !== undefined && next.join() === move.join()
                  return (
                    <button type="button" class={`take${same ? ' same' : ''}`} key={move.join()} onClick={() => onTake(move)}>
                      <span class="fn">
                        {told.at.function}{' '}
                        <em>
                          {shortFile(told.at.file)}:{told.at.line}
                        </em>
                      </span>
                      <span class="text">{told.at.text}</span>
                      {told.choices.map((choice) => (
                        <span key={choice} class="choice">
                          {choice}
                        </span>
                      ))}
                      <span class="deed">{deedOf(told)}</span>
                      {transition.violations.map((check) => (
                        <span class="bad" key={check}>
                          ✖ {run.program.checks[check].kind}: {run.program.checks[check].name}
                        </span>
                      ))}
                      {same && <span class="faint">▸ the step taken here</span>}
                    </button>
                  )
                })}
              </div>
            )
          })
        )}
        <Properties machine={machine} state={state} wrong={wrong} />
      </section>
    </section>
  )
}

function Properties({ machine, state, wrong }: { machine: Machine; state: Int32Array; wrong: readonly Check[] }) {
  const { program } = machine.run
  const { shape } = machine.interpreter
  const { always, finally: last, eventually, sometimes } = program.properties
  const ended = program.threads.every((_, thread) => state[shape.threadBase[thread]] === DONE)
  const holds = (property: (typeof always)[number] | (typeof sometimes)[number]): boolean => evaluate(property.cond, state, shape, 0) !== 0
  return (
    <div class="properties">
      <h3>Properties in this state</h3>
      {wrong
        .filter(({ kind }) => kind === 'deadlock' || kind === 'lost-wake' || kind === 'sleeps')
        .map((check) => (
          <p class="bad" key={check.id}>
            ✖ {check.kind}: {check.message}
          </p>
        ))}
      <ul>
        {always.map((one) => (
          <Property key={one.name} kind="always" name={one.name} good={holds(one)} said={holds(one) ? 'holds' : 'does not hold'} bad={!holds(one)} />
        ))}
        {last.map((one) => (
          <Property
            key={one.name}
            kind="finally"
            name={one.name}
            good={holds(one)}
            said={ended ? (holds(one) ? 'holds' : 'does not hold') : 'asked at the end'}
            bad={ended && !holds(one)}
          />
        ))}
        {eventually.map((one) => {
          const seen = state[shape.columnBase[one.seen]] !== 0
          return <Property key={one.name} kind="eventually" name={one.name} good={seen} said={seen ? 'has come true' : 'not yet'} bad={ended && !seen} />
        })}
        {sometimes.map((one) => (
          <Property key={one.name} kind="sometimes" name={one.name} good={holds(one)} said={holds(one) ? 'is so here' : 'not here'} bad={false} />
        ))}
      </ul>
    </div>
  )
}

function Property({ kind, name, good, said, bad }: { kind: string; name: string; good: boolean; said: string; bad: boolean }) {
  return (
    <li class={bad ? 'bad' : ''}>
      <i aria-hidden="true">{bad ? '✖' : good ? '✓' : '·'}</i> <span class="faint">{kind}</span> {name} <span class="faint">— {said}</span>
    </li>
  )
}
