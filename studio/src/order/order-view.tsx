/** The order: which changes can land first, which break what, which must land together, and what Linux did. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { replaceRoute } from '../route.ts'
import type { Backend } from '../verdicts/backend.ts'
import { ChangesPanel } from './changes-panel.tsx'
import { Lattice } from './lattice.tsx'
import { formatPlan, type Plan, parsePlan, wayTo } from './plan.ts'
import { PlanList } from './plan-list.tsx'
import { checkOrder, type OrderReport, parseOrder } from './report.ts'
import { SetPanel } from './set-panel.tsx'
import { Sets } from './sets.ts'

export function OrderView({ backend, values }: { backend: Backend; values: Readonly<Record<string, string>> }) {
  const [report, setReport] = useState<OrderReport | undefined>()
  const [state, setState] = useState<'loading' | 'none' | 'there'>('loading')
  const [error, setError] = useState<string | undefined>()
  const take = (read: OrderReport | string): void => {
    if (typeof read === 'string') setError(read)
    else {
      setError(undefined)
      setReport(read)
    }
    setState(typeof read === 'string' ? 'none' : 'there')
  }
  useEffect(() => {
    backend.order().then((found) => (found === undefined ? setState('none') : take(checkOrder(found))))
  }, [backend])
  const open = async (file: File | undefined): Promise<void> => {
    if (file) take(parseOrder(await file.text()))
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
      {report && <Shown key={report.from} report={report} values={values} chooser={chooser} />}
    </section>
  )
}

/** What the address holds. */
interface Choice {
  readonly cut: number
  /** The strict verdict, where what all together introduce counts too. */
  readonly strict: boolean
  /** Sets are drawn with the changes that may land at any time too. */
  readonly all: boolean
  readonly plan: Plan
}

function Shown({ report, values, chooser }: { report: OrderReport; values: Readonly<Record<string, string>>; chooser: preact.JSX.Element }) {
  const read = (): Choice => {
    const cut = Math.max(
      0,
      report.cuts.findIndex((one) => one.cut === values.cut),
    )
    const ids = report.cuts[cut].elements.map(({ id }) => id)
    return { cut, strict: values.strict === '1', all: values.draw === 'all', plan: parsePlan(values.set ?? '', ids) }
  }
  const [choice, setChoice] = useState(read)
  useEffect(() => setChoice(read()), [values])
  const whole = report.cuts[choice.cut]
  const cut = (choice.strict ? undefined : whole.allowingWhatAllIntroduce) ?? whole
  const sets = useMemo(() => new Sets(report, cut), [report, cut])
  const change = (next: Partial<Choice>): void => {
    const made = { ...choice, ...next }
    setChoice(made)
    const { cut: name, elements } = report.cuts[made.cut]
    const set = formatPlan(
      made.plan,
      elements.map(({ id }) => id),
    )
    replaceRoute('order', { cut: made.cut === 0 ? undefined : name, strict: made.strict ? 1 : undefined, draw: made.all ? 'all' : undefined, set })
  }
  const { plan } = choice
  const onPlan = (next: Plan): void => change({ plan: next })
  const onChoose = (set: number): void =>
    onPlan(
      wayTo(
        set,
        sets.reached,
        sets.groups.map(({ members }) => members),
      ),
    )
  const stepsOf = (steps: readonly (readonly string[])[]): Plan => steps.map((ids) => sets.setOf(ids))
  return (
    <>
      <div class="transport" role="toolbar" aria-label="The order">
        {report.cuts.length > 1 && (
          <label class="check">
            <span class="faint">cut</span>
            <select value={String(choice.cut)} onChange={(event) => change({ cut: Number(event.currentTarget.value), plan: [] })}>
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
            <span class="faint">what all together introduce ({whole.allowingWhatAllIntroduce.allowed.length})</span>
            <select value={choice.strict ? 'strict' : 'allowed'} onChange={(event) => change({ strict: event.currentTarget.value === 'strict' })}>
              <option value="allowed">is allowed on the way</option>
              <option value="strict">counts as broken</option>
            </select>
          </label>
        )}
        <span class="presets">
          <span class="faint">plan</span>
          <button type="button" onClick={() => onPlan([])} disabled={plan.length === 0}>
            none
          </button>
          {cut.oneOrder && (
            <button type="button" onClick={() => onPlan(stepsOf(cut.oneOrder ?? []))}>
              one safe order
            </button>
          )}
          {cut.landed.length > 0 && (
            <button type="button" onClick={() => onPlan(stepsOf(cut.landed.map(({ adds }) => adds)))}>
              Linux's
            </button>
          )}
        </span>
        {sets.free !== 0 && (
          <label class="check">
            <input type="checkbox" checked={choice.all} onChange={(event) => change({ all: event.currentTarget.checked })} /> draw also what may land at any
            time
          </label>
        )}
        {chooser}
      </div>
      <p class="ordersaid">
        On {report.from} <b>{cut.safe.toLocaleString('en')}</b> of {cut.sets.toLocaleString('en')} sets are safe
        {cut.undecided > 0 ? `, ${cut.undecided} undecided` : ''};{' '}
        {cut.ordersWithGroups === 0
          ? 'no order leads to all of them by safe steps'
          : `${cut.ordersWithGroups.toLocaleString('en')} orders lead to all by safe steps`}
        {cut.ordersWithGroups !== cut.orders ? ', with groups as one step' : ''}. {sets.free !== 0 && <>At any time can land {sets.named(sets.free, ', ')}. </>}
        First of the others can be {sets.named(cut.firstMovers.reduce((bits, id) => bits | sets.setOf([id]), 0) & ~sets.free, ', ')}.
      </p>
      <div class="orderbody">
        <ChangesPanel from={report.from} sets={sets} plan={plan} onPlan={onPlan} />
        <section class="scroll way-through" aria-label="The way through the safe sets" tabIndex={0}>
          <Lattice sets={sets} plan={plan} hidden={choice.all ? 0 : sets.free} onChoose={onChoose} />
          <PlanList sets={sets} plan={plan} onPlan={onPlan} />
        </section>
        <SetPanel report={report} sets={sets} plan={plan} onPlan={onPlan} onChoose={onChoose} />
      </div>
    </>
  )
}
