/** A life beside the lives the model allows: step by step the call that leaves the model, and where they part what the model would have had instead. */
import type { Allowed, BesideModel } from '../../../src/report/beside-model.ts'
import type { LifeEvent, PageLife } from '../../../src/report/page-references.ts'

interface BesideProps {
  readonly life: PageLife
  readonly beside: BesideModel
  /** The place of the first event that the model forbids; with `unfinished` of the last one of the call. */
  readonly forbidden: number | null
  readonly onEvent: (index: number) => void
}

/** A step: an event of the call, or what others did to the page in between. */
interface Column {
  readonly event: number
  /** Events of other calls before it, since the step before. */
  readonly others: readonly number[]
  readonly wrong: boolean
}

export function Beside({ life, beside, forbidden, onEvent }: BesideProps) {
  const { entry, kernel, task, unfinished, allowed, more, mayEnd } = beside
  const own = [...new Set([...beside.shared, ...(forbidden === null ? [] : [forbidden])])].sort((a, b) => a - b)
  const columns = own.map((event, i): Column => {
    const before = i === 0 ? event : own[i - 1] + 1
    return { event, others: Array.from({ length: event - before }, (_, k) => before + k), wrong: event === forbidden && !unfinished }
  })
  const others = columns.some((column) => column.others.length > 0)
  const instead = (
    <div class="instead">
      {allowed.map((one) => (
        <Way key={`${one.said} ${one.chain.join()}`} one={one} />
      ))}
      {more > 0 && <p class="faint">and {more} other ways</p>}
      {(mayEnd || allowed.length === 0) && <p>→ nothing more: the call ends</p>}
    </div>
  )
  return (
    <section class="beside" aria-label="Beside the model">
      <h3>
        Beside the model of {kernel}: a call of <code>{entry}()</code> by {task}
      </h3>
      <section class="scroll" aria-label="The call, step by step" tabIndex={0}>
        <table class="lanes">
          <thead>
            <tr>
              <th scope="col" class="lane-name">
                <span class="sr">lane</span>
              </th>
              {columns.map(({ event, wrong }) => (
                <th scope="col" key={event}>
                  <button type="button" class="link" onClick={() => onEvent(event)}>
                    event {event + 1}
                  </button>
                  {wrong ? <b class="bad"> ✖</b> : ''}
                </th>
              ))}
              {unfinished && <th scope="col">then</th>}
            </tr>
          </thead>
          <tbody>
            <tr class="t0">
              <th scope="row" class="lane-name">
                recorded
                <small>{task}</small>
              </th>
              {columns.map(({ event, wrong }) => (
                <td key={event}>
                  <Deed life={life} event={life.events[event]} wrong={wrong} />
                </td>
              ))}
              {unfinished && (
                <td>
                  <div class="cell fails">
                    <span class="bad">✖ the call ended</span>
                    <span class="deed">although the model has it do more</span>
                  </div>
                </td>
              )}
            </tr>
            <tr class="t2">
              <th scope="row" class="lane-name">
                the model
                <small>{entry}()</small>
              </th>
              {columns.map(({ event, wrong }) => (
                <td key={event}>
                  {wrong ? (
                    instead
                  ) : (
                    <div class="cell">
                      <span class="good">✓ the same</span>
                    </div>
                  )}
                </td>
              ))}
              {unfinished && <td>{instead}</td>}
            </tr>
            {others && (
              <tr class="t1">
                <th scope="row" class="lane-name">
                  meanwhile
                  <small>other calls</small>
                </th>
                {columns.map((column) => (
                  <td key={column.event}>
                    {column.others.length > 0 && (
                      <div class="cell reads">
                        <span class="fn">
                          {column.others.length} {column.others.length === 1 ? 'event' : 'events'} before
                        </span>
                        <span class="deed">{[...new Set(column.others.map((event) => life.events[event].task))].join(', ')}</span>
                        <span class="faint">the model allows them</span>
                      </div>
                    )}
                  </td>
                ))}
                {unfinished && <td />}
              </tr>
            )}
          </tbody>
        </table>
      </section>
    </section>
  )
}

function Deed({ life, event, wrong }: { life: PageLife; event: LifeEvent; wrong: boolean }) {
  const frames = life.sites[event.site]
  return (
    <div class={`cell${wrong ? ' fails' : ''}`}>
      {wrong && <span class="bad">✖ the model forbids this</span>}
      <span class="fn">{frames[0] ?? '?'}</span>
      <span class="deed">
        {event.op} {event.val > 0 ? `+${event.val}` : event.val}, count {event.before ?? '?'} → {event.after ?? '?'}
      </span>
      {!wrong && <span class="text">{frames.slice(1, 3).join(' < ')}</span>}
    </div>
  )
}

/** One thing that the model could have done: what, and through which of its functions. */
function Way({ one: { said, chain, wakes, frees } }: { one: Allowed }) {
  return (
    <p>
      → <b>{said}</b> in <code>{chain.at(-1)}()</code>
      {wakes === 'yes' ? ', and waiters are woken' : ''}
      {frees === 'yes' ? ', and the driver gets it back' : ''}
      {chain.length > 1 && (
        <small>
          {chain
            .slice(0, -1)
            .reverse()
            .map((name) => `‹ ${name}()`)
            .join(' ')}
        </small>
      )}
    </p>
  )
}
