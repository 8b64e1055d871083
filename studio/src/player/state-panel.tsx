/** The state beside the source: pages with their holders, entries, locks, queues; what the last step changed is lit and marked. */
import type { Line, PageCard, StateView } from './view-of-state.ts'

export function StatePanel({ view, all, onAll }: { view: StateView; all: boolean; onAll: (all: boolean) => void }) {
  const others = all ? view.others : view.others.filter(({ changed }) => changed)
  return (
    <section class="panel state" aria-label="State after this step">
      <header>
        <h2>State</h2>
        <span class="faint legend">
          <span class="lit">
            <i>Δ</i> changed by this step
          </span>
        </span>
      </header>
      <section class="scroll" aria-label="State values" tabIndex={0}>
        <div class="cards">
          {view.pages.map((page) => (
            <Page key={page.name} page={page} all={all} />
          ))}
        </div>
        <div class="cards">
          <Group title="Page tables and file entries" lines={view.entries} />
          <Group title="Locks" lines={all ? view.locks : view.locks.filter(({ value, changed }) => changed || value !== 'free')} none="all free" />
          <Group
            title="Wait queues"
            lines={all ? view.queues : view.queues.filter(({ value, changed }) => changed || value !== 'nobody')}
            none="nobody sleeps"
          />
          {others.length > 0 && <Group title="Other state" lines={others} />}
          <label class="check">
            <input type="checkbox" checked={all} onChange={(event) => onAll(event.currentTarget.checked)} />
            all fields ({view.others.length} others)
          </label>
        </div>
      </section>
    </section>
  )
}

const SIGN: Record<PageCard['state'], string> = { free: '○', held: '●', frozen: '❄', kept: '◐' }

function Page({ page, all }: { page: PageCard; all: boolean }) {
  const holders = page.holders.filter(({ value, changed }) => changed || value !== '0')
  const fields = page.fields.filter(({ value, changed }) => all || changed || !['NULL', 'false', '0', 'nobody', 'none'].includes(value))
  return (
    <article class={`page ${page.state}`}>
      <h3>
        <span>{page.name}</span> <span class="type">{page.type}</span>
        <span class="pagestate">
          <i aria-hidden="true">{SIGN[page.state]}</i> {page.stateText}
        </span>
      </h3>
      <dl class="lines">
        <Value line={page.count} strong />
      </dl>
      <h4>held by</h4>
      {holders.length === 0 ? (
        <p class="faint">nobody</p>
      ) : (
        <dl class="lines">
          {holders.map((line) => (
            <Value key={line.name} line={line} />
          ))}
        </dl>
      )}
      {fields.length > 0 && (
        <>
          <h4>fields</h4>
          <dl class="lines">
            {fields.map((line) => (
              <Value key={line.name} line={line} />
            ))}
          </dl>
        </>
      )}
    </article>
  )
}

function Group({ title, lines, none }: { title: string; lines: readonly Line[]; none?: string }) {
  if (lines.length === 0 && none === undefined) return null
  return (
    <div class="group">
      <h3>{title}</h3>
      {lines.length === 0 ? (
        <p class="faint">{none}</p>
      ) : (
        <dl class="lines">
          {lines.map((line) => (
            <Value key={line.name} line={line} />
          ))}
        </dl>
      )}
    </div>
  )
}

function Value({ line, strong }: { line: Line; strong?: boolean }) {
  return (
    <div class={`line${line.changed ? ' lit' : ''}${strong ? ' strong' : ''}`}>
      <dt>{line.name}</dt>
      <dd>
        {line.changed && (
          <>
            <i title="changed by this step">Δ</i>
            <s>{line.before}</s> →{' '}
          </>
        )}
        <b>{line.value}</b>
      </dd>
    </div>
  )
}
