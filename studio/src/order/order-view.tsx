/** The order: which changes can land first, which break what, which must land together, and what Linux did. */
import { useEffect, useState } from 'preact/hooks'
import { formatRoute, replaceRoute } from '../route.ts'
import type { Backend } from '../verdicts/backend.ts'
import { Lattice } from './lattice.tsx'
import { bySituation, judge, type OrderReport, parseOrder, type Reason } from './report.ts'

const SAID = { safe: '✓ safe', unsafe: '✖ unsafe', unreached: '◌ not reached step by step', 'not told': '? not told by this answer' } as const

export function OrderView({ backend, values }: { backend: Backend; values: Readonly<Record<string, string>> }) {
  const [report, setReport] = useState<OrderReport | undefined>()
  const [state, setState] = useState<'loading' | 'none' | 'there'>('loading')
  const [error, setError] = useState<string | undefined>()
  useEffect(() => {
    backend.order().then((found) => {
      if (found) setReport(found as OrderReport)
      setState(found ? 'there' : 'none')
    })
  }, [backend])
  const open = async (file: File | undefined): Promise<void> => {
    if (!file) return
    const read = parseOrder(await file.text())
    if (typeof read === 'string') setError(read)
    else {
      setError(undefined)
      setReport(read)
      setState('there')
    }
  }
  const chooser = (
    <label class="button file">
      open an answer
      <input type="file" accept=".json,application/json" class="sr" onChange={(event) => void open(event.currentTarget.files?.[0])} />
    </label>
  )
  return (
    <section
      aria-label="The order of the changes"
      class="orderview"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        void open(event.dataTransfer?.files[0])
      }}
    >
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {state === 'loading' && (
        <p class="empty" role="status">
          Loading …
        </p>
      )}
      {state === 'none' && !report && (
        <div class="drop">
          <p class="big">No order has been computed</p>
          <p>It takes many searches. Run</p>
          <p>
            <code>putpage order --json &gt; order.json</code>
          </p>
          <p>
            then drop the file here, or start <code>putpage studio --order order.json</code>
          </p>
          <p>{chooser}</p>
        </div>
      )}
      {report && <Shown report={report} values={values} chooser={chooser} />}
    </section>
  )
}

function Shown({ report, values, chooser }: { report: OrderReport; values: Readonly<Record<string, string>>; chooser: preact.JSX.Element }) {
  const [which, setWhich] = useState(() =>
    Math.max(
      0,
      report.cuts.findIndex(({ cut }) => cut === values.cut),
    ),
  )
  const [allowing, setAllowing] = useState(values.allowing === '1')
  const whole = report.cuts[which] ?? report.cuts[0]
  const cut = (allowing ? whole.allowingWhatAllIntroduce : undefined) ?? whole
  const ids = cut.elements.map(({ id }) => id)
  const [chosen, setChosen] = useState<readonly string[]>(() => (values.set ?? '').split(',').filter((id) => ids.includes(id)))
  useEffect(() => {
    replaceRoute('order', { cut: which === 0 ? undefined : whole.cut, allowing: allowing ? 1 : undefined, set: chosen.join(',') })
  }, [which, allowing, chosen])
  const judged = judge(cut, chosen)
  const choose = (set: readonly string[]): void => setChosen(ids.filter((id) => set.includes(id)))
  const switches = cut.elements.filter(({ id }) => chosen.includes(id)).flatMap((element) => element.switches)
  return (
    <>
      <div class="transport" role="toolbar" aria-label="The order">
        {report.cuts.length > 1 && (
          <label class="check">
            <span class="faint">cut</span>
            <select
              value={String(which)}
              onChange={(event) => {
                setWhich(Number(event.currentTarget.value))
                setChosen([])
              }}
            >
              {report.cuts.map((one, i) => (
                <option key={one.cut} value={String(i)}>
                  {one.cut}
                </option>
              ))}
            </select>
          </label>
        )}
        {whole.allowingWhatAllIntroduce && (
          <label class="check">
            <input type="checkbox" checked={allowing} onChange={(event) => setAllowing(event.currentTarget.checked)} /> allow what all together introduce
          </label>
        )}
        <span>
          on {report.from}: <b>{cut.safe.toLocaleString('en')}</b> of {cut.sets.toLocaleString('en')} sets are safe
          {cut.undecided > 0 ? `, ${cut.undecided} undecided` : ''}; {cut.orders.toLocaleString('en')} orders
          {cut.ordersWithGroups !== undefined && cut.ordersWithGroups !== cut.orders ? ` (${cut.ordersWithGroups.toLocaleString('en')} with groups)` : ''}.
          First can be <b>{cut.firstMovers.join(', ') || 'none'}</b>
        </span>
        {chooser}
      </div>
      <div class="orderbody">
        <section class="scroll elements" aria-label="Changes" tabIndex={0}>
          <h2>Changes on {report.from}</h2>
          <ol>
            {cut.elements.map((element, i) => (
              <li key={element.id}>
                <label>
                  <input
                    type="checkbox"
                    checked={chosen.includes(element.id)}
                    onChange={() => choose(chosen.includes(element.id) ? chosen.filter((id) => id !== element.id) : [...chosen, element.id])}
                  />
                  <span>
                    <b>
                      {i + 1} {element.id}
                    </b>
                    <small class="about">{element.about}</small>
                    <small>
                      {element.landed ? `in Linux since ${element.landed.since}` : 'not in Linux'} ·{' '}
                      {cut.alone.find((one) => one.element === element.id)?.safe ? '✓ safe alone' : '✖ unsafe alone'}
                    </small>
                  </span>
                </label>
              </li>
            ))}
          </ol>
          <p class={`verdict v-${judged.kind.replace(' ', '-')}`} role="status">
            <b>{SAID[judged.kind]}</b>: {chosen.length === 0 ? 'none' : chosen.join(' + ')}
            <br />
            {judged.why}
          </p>
          <Reasons title="It introduces" reasons={judged.reasons} />
          {judged.unsafe && judged.unsafe.repairedBy.length > 0 && (
            <div>
              <h3>Repaired by</h3>
              {judged.unsafe.repairedBy.map((set) => (
                <button type="button" key={set.join()} class="setbutton" onClick={() => choose([...chosen, ...set])}>
                  {set.join(' + ')}
                </button>
              ))}
            </div>
          )}
          {judged.unsafe?.steps && judged.unsafe.steps.length > 0 && (
            <details>
              <summary>the way there, {judged.unsafe.steps.length} steps</summary>
              <ol class="way">
                {judged.unsafe.steps.map((step, i) => (
                  <li key={`${step.thread}${i}`}>
                    <b>{step.thread}</b> {step.function} <code>{step.text}</code>
                  </li>
                ))}
              </ol>
            </details>
          )}
          <p>
            <a href={formatRoute('verdicts', { with: switches.join(',') })}>see the verdicts with these switched on</a>
            {judged.unsafe && (
              <>
                {' · '}
                <a href={formatRoute('play', { scenario: judged.unsafe.scenario, kernel: report.from, with: (judged.unsafe.with ?? switches).join(',') })}>
                  play what it breaks
                </a>
              </>
            )}
          </p>
        </section>
        <Lattice cut={cut} chosen={chosen} onChoose={choose} />
        <section class="scroll elements" aria-label="What the answer says" tabIndex={0}>
          {cut.oneOrder && (
            <>
              <h2>One order</h2>
              <ol class="landedlist">
                {cut.oneOrder.map((adds, i, steps) => (
                  <li key={adds.join()}>
                    <button type="button" class="setbutton" onClick={() => choose(steps.slice(0, i + 1).flat())}>
                      {i + 1}. {adds.join(' + ')}
                    </button>
                  </li>
                ))}
              </ol>
            </>
          )}
          <h2>The order Linux took</h2>
          {cut.landed.length === 0 ? (
            <p class="faint">None of these changes is in Linux, as far as the model knows.</p>
          ) : (
            <ol class="landedlist">
              {cut.landed.map((step) => (
                <li key={step.since}>
                  <button type="button" class="setbutton" onClick={() => choose(step.set)}>
                    {step.introduces.length > 0 ? '✖' : '✓'} {step.since}: {step.adds.join(' + ')}
                  </button>
                  {step.new.length > 0 && (
                    <details>
                      <summary class="faint">introduces failures in {bySituation(step.new).length} situations</summary>
                      {bySituation(step.new).map(({ scenario, kinds }) => (
                        <small key={scenario}>
                          {kinds} in {scenario}
                        </small>
                      ))}
                    </details>
                  )}
                </li>
              ))}
            </ol>
          )}
          <h2>Must land together</h2>
          {cut.landTogether.length === 0 ? (
            <p class="faint">No group.</p>
          ) : (
            cut.landTogether.map(({ members, onto }) => (
              <button type="button" key={members.join() + onto.join()} class="setbutton" onClick={() => choose([...onto, ...members])}>
                {members.join(' + ')} <span class="faint">onto {onto.join(' + ') || 'none'}</span>
              </button>
            ))
          )}
          <h2>Smallest unsafe sets ({cut.minimalUnsafe.length})</h2>
          {cut.minimalUnsafe.map((one) => (
            <button type="button" key={one.set.join()} class="setbutton" onClick={() => choose(one.set)}>
              ✖ {one.set.join(' + ')}
              <small>
                {one.kind} in {one.scenario}: {one.message}
              </small>
            </button>
          ))}
        </section>
      </div>
    </>
  )
}

function Reasons({ title, reasons }: { title: string; reasons: readonly Reason[] }) {
  if (reasons.length === 0) return null
  return (
    <div>
      <h3>{title}</h3>
      <ul class="reasons">
        {bySituation(reasons).map(({ scenario, kinds, messages }) => (
          <li key={scenario}>
            <span class="bad">✖ {kinds}</span> in {scenario}
            <small>{messages.join(' ')}</small>
          </li>
        ))}
      </ul>
    </div>
  )
}
