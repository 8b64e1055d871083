/** One page's whole life: its count, its references from get to put, the events with their stacks, and what the model says of it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { LifeReference, PageLife } from '../../../src/report/page-references.ts'
import { Beside } from './beside.tsx'
import { Events } from './life-events.tsx'
import { Pair, Stack } from './life-pair.tsx'
import { CLASSES, LifePicture } from './life-picture.tsx'
import { wrongIn } from './life-wrong.ts'
import type { TraceFinding } from './protocol.ts'

interface LifeProps {
  readonly life: PageLife
  readonly end: number
  /** The model's word on this page's life. */
  readonly model: string
  readonly findings: readonly TraceFinding[]
  readonly onClose: () => void
}

export function Life({ life, end, model, findings, onClose }: LifeProps) {
  const wrong = useMemo(() => wrongIn(life, findings), [life, findings])
  const [reference, setReference] = useState<number | undefined>(() => {
    const held = life.references.findIndex(({ to }) => to === null)
    return held >= 0 ? held : undefined
  })
  // What is wrong is shown first: the reference that is held, or else the event.
  const [event, setEvent] = useState<number | undefined>(() =>
    reference === undefined ? wrong.find(({ severity }) => severity === 'error')?.event : undefined,
  )
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(900)
  const [toScale, setToScale] = useState(false)
  useEffect(() => {
    const area = box.current
    if (!area) return
    const watch = new ResizeObserver(() => setWidth(area.clientWidth))
    watch.observe(area)
    return () => watch.disconnect()
  }, [])
  const chosen = reference === undefined ? undefined : life.references[reference]
  const focus = event ?? chosen?.get
  const used = CLASSES.filter((name) => life.references.some((one) => one.class === name))
  const { forbidden } = life
  const choose = (index: number): void => {
    setEvent(index)
    setReference(indexOfReference(life.references, index))
  }
  return (
    <section class="life" aria-label={`The life of page 0x${life.pfn.toString(16)}`}>
      <header>
        <h2>
          page 0x{life.pfn.toString(16)} <span class="faint">{life.type}</span>
        </h2>
        <span class="faint">
          {life.events.length.toLocaleString('en')} events{life.leftOut > 0 ? ` (${life.leftOut.toLocaleString('en')} more left out)` : ''},{' '}
          {life.references.length.toLocaleString('en')} references
          {life.freeAt === null ? '' : `, free at ${life.freeAt}`}
        </span>
        <span class="legend">
          {used.map((name) => (
            <span key={name} class={`ref c${CLASSES.indexOf(name)}`}>
              {name}
            </span>
          ))}
        </span>
        <label class="check">
          <input type="checkbox" checked={toScale} onChange={(change) => setToScale(change.currentTarget.checked)} /> time to scale
        </label>
        <button type="button" onClick={onClose}>
          close
        </button>
      </header>
      <div class="lifebody">
        <section class="scroll lifepicture" ref={box} aria-label="Count and references over time" tabIndex={0}>
          <LifePicture
            life={life}
            end={end}
            width={width}
            toScale={toScale}
            reference={reference}
            focus={focus}
            wrong={wrong}
            onReference={(index) => {
              setReference(index)
              setEvent(undefined)
            }}
          />
          {forbidden && <Beside life={life} beside={forbidden.beside} forbidden={forbidden.event} onEvent={choose} />}
          <Events life={life} focus={focus} onEvent={choose} />
        </section>
        <aside class="scroll lifeside" aria-label="Stacks" tabIndex={0}>
          {wrong.map(({ title, severity, by, event: at }) => (
            <p key={title} class={`verdict ${severity === 'error' ? 'bad' : 'doubtful'}`}>
              {severity === 'error' ? '✖' : '?'} {title}
              {by === '' ? '' : `: ${by}`}{' '}
              {at !== undefined && (
                <button type="button" class="link" onClick={() => choose(at)}>
                  event {at + 1}
                </button>
              )}
            </p>
          ))}
          {forbidden ? (
            <p class="verdict bad">
              ✖ The model does not allow this life{forbidden.event === null ? '' : ` from event ${forbidden.event + 1} on`}.{' '}
              {forbidden.event !== null && (
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    setEvent(forbidden.event ?? undefined)
                    setReference(undefined)
                  }}
                >
                  show it
                </button>
              )}{' '}
              <span>{forbidden.why}</span>
            </p>
          ) : (
            <p class="verdict">
              {model}
              {wrong.some(({ severity }) => severity === 'error') &&
                model.startsWith('✓') &&
                " The fault is the kernel's own, as it was written: the model has it too."}
            </p>
          )}
          {chosen && <Pair life={life} one={chosen} />}
          {event !== undefined && !chosen && (
            <Stack title={`${life.events[event].op} ${life.events[event].val} by ${life.events[event].task}`} frames={life.sites[life.events[event].site]} />
          )}
          {!chosen && event === undefined && <p class="faint">Choose a bar or an event: its stack and its pairing stand here.</p>}
        </aside>
      </div>
    </section>
  )
}

function indexOfReference(references: readonly LifeReference[], event: number): number | undefined {
  const at = references.findIndex(({ get, put }) => get === event || put === event)
  return at < 0 ? undefined : at
}
