/** A reference's get and put, with their stacks, and how sure it is that they belong together. */
import type { LifeReference, PageLife } from '../../../src/report/page-references.ts'
import { duration } from './draw.ts'

const SURE = {
  only: 'This put pays back this get: no other reference was open.',
  likely: 'Which put pays back which get is read from call sites, tasks and amounts: no other reference fits as well.',
  guess: '? A guess: other references were open that this put may pay back as well. Of those that are alike the youngest was taken.',
} as const

export function Pair({ life, one }: { life: PageLife; one: LifeReference }) {
  const put = one.put === null ? undefined : life.events[one.put]
  return (
    <>
      <h3>
        {one.amount >= 1024 ? 'pin' : 'reference'}: {one.class}, by {one.function || '?'}
        {one.amount > 1 && one.amount !== 1024 ? ` ×${one.amount}` : ''}
      </h3>
      <p>
        {put ? (
          <>
            held for <b>{duration((one.to ?? 0) - one.from, 1)}</b>
          </>
        ) : one.to !== null ? (
          'which put paid it back is not known: the page became free, or events are missing'
        ) : (
          <b class="bad">✖ still held at the end</b>
        )}
      </p>
      <Stack title={`taken by ${one.task} at ${duration(one.from, 1e3)}`} frames={life.sites[life.events[one.get].site]} />
      {put && <Stack title={`given back by ${put.task} at ${duration(put.time, 1e3)}`} frames={life.sites[put.site]} />}
      {one.sure && <p class={one.sure === 'guess' ? 'doubtful' : 'faint'}>{SURE[one.sure]}</p>}
    </>
  )
}

export function Stack({ title, frames }: { title: string; frames: readonly string[] }) {
  return (
    <div class="callstack">
      <h4>{title}</h4>
      {frames.length === 0 ? (
        <p class="faint">no stack was recorded</p>
      ) : (
        <ol>
          {frames.map((frame, i) => (
            <li key={`${frame}${i}`}>{frame}</li>
          ))}
        </ol>
      )}
    </div>
  )
}
