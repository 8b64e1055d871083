/** The events of a page's life, those around the chosen one. */
import type { PageLife } from '../../../src/report/page-references.ts'
import { duration } from './draw.ts'

/** Rows of the table, and those before the chosen one. */
const SHOWN = 24
const BEFORE = 5

export function Events({ life, focus, onEvent }: { life: PageLife; focus: number | undefined; onEvent: (index: number) => void }) {
  const around = focus ?? 0
  const from = Math.max(0, Math.min(around - BEFORE, life.events.length - SHOWN))
  const shown = life.events.slice(from, from + SHOWN)
  return (
    <table class="plain events">
      <thead>
        <tr>
          <th scope="col" class="number">
            event
          </th>
          <th scope="col" class="number">
            time
          </th>
          <th scope="col">task</th>
          <th scope="col">operation</th>
          <th scope="col" class="number">
            count
          </th>
          <th scope="col">call site</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((one, i) => {
          const index = from + i
          const frees = life.freeAt !== null && one.after === life.freeAt && one.before !== one.after
          return (
            <tr key={index} class={`${index === focus ? 'chosen' : ''}${index === life.forbidden?.event ? ' forbidden' : ''}`}>
              <td class="number faint">{index + 1}</td>
              <td class="number">
                <button type="button" class="link" onClick={() => onEvent(index)}>
                  {duration(one.time, 1e3)}
                </button>
              </td>
              <td>{one.task}</td>
              <td>
                {one.op} {one.val > 0 ? `+${one.val}` : one.val}
                {one.refused ? ' refused' : ''}
                {index === life.forbidden?.event ? <b class="bad"> ✖ not in the model</b> : ''}
              </td>
              <td class="number">
                {one.before ?? '?'} → <b>{one.after ?? '?'}</b>
                {frees ? <span class="good"> free</span> : ''}
              </td>
              <td class="site">{life.sites[one.site].slice(0, 4).join(' < ')}</td>
            </tr>
          )
        })}
      </tbody>
      {life.events.length > SHOWN && (
        <caption>
          events {from + 1} to {from + shown.length} of {life.events.length.toLocaleString('en')}{' '}
          <button type="button" disabled={from === 0} onClick={() => onEvent(Math.max(0, around - SHOWN))}>
            earlier
          </button>{' '}
          <button type="button" disabled={from + SHOWN >= life.events.length} onClick={() => onEvent(Math.min(life.events.length - 1, around + SHOWN))}>
            later
          </button>
        </caption>
      )}
    </table>
  )
}
