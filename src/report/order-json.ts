/** `putpage order --json`: the format `putpage-order/1`, described in docs/formats.md. */
import { type CutAnswer, idsOf, type Together } from '../order/answer.ts'
import type { Reason } from '../order/judgement.ts'
import { members } from '../order/lattice.ts'
import type { Evidence, Trace } from './evidence.ts'
import type { Answers, OrderFacts } from './order-facts.ts'

export const ORDER_FORMAT = 'putpage-order/1'

/** The report as text, numbers of a list in one line. */
export function orderJson(answers: readonly Answers[], facts: OrderFacts): string {
  // No text of JSON holds a line's end: what is between two of them is structure.
  const text = JSON.stringify(orderReport(answers, facts), null, 2).replace(
    /\[\n\s+(\d+(?:,\n\s+\d+)*)\n\s+\]/g,
    (_, list: string) => `[${list.replace(/\s+/g, ' ')}]`,
  )
  return `${text}\n`
}

/** Makes the report. Sets are lists of element ids. */
export function orderReport(answers: readonly Answers[], facts: OrderFacts): object {
  const { traces, knowledge, ...told } = facts
  return {
    format: ORDER_FORMAT,
    ...told,
    cuts: answers.map(({ strict, allowing }) => ({
      ...cutReport(strict, traces),
      ...(allowing ? { allowingWhatAllIntroduce: cutReport(allowing, traces) } : {}),
    })),
    ...knowledge,
  }
}

function cutReport(answer: CutAnswer<Evidence>, traces: ReadonlyMap<string, Trace>): object {
  const { cut, elements, lattice } = answer
  const ids = (set: number): string[] => idsOf(elements, set)
  return {
    cut,
    elements: elements.map(({ id, change, about, switches, landed }) => ({ id, change, about, switches, ...(landed ? { landed } : {}) })),
    allowed: answer.allowed.map(short),
    sets: lattice.full + 1,
    safe: answer.safe,
    undecided: answer.undecided,
    verdicts: answer.verdicts,
    firstMovers: lattice.firstMovers.map((i) => elements[i].id),
    anyTime: answer.undecided > 0 ? [] : lattice.free.map((i) => elements[i].id),
    orders: lattice.orders,
    ordersWithGroups: lattice.ordersWithGroups,
    ...(lattice.oneOrder ? { oneOrder: lattice.oneOrder.map(ids) } : {}),
    reachable: [...lattice.reachable].sort((a, b) => a - b).map(ids),
    /** Each order is a path through these from none to all. */
    steps: [...lattice.reachable].flatMap((set) =>
      members(lattice.full & ~set).flatMap((i) => (lattice.reachable.has(set | (1 << i)) ? [{ from: ids(set), adds: elements[i].id }] : [])),
    ),
    landTogether: lattice.groups.map(({ members: group, onto }) => ({ members: ids(group), onto: ids(onto) })),
    alone: answer.alone.map((one) => ({ element: elements[one.element].id, safe: one.safe, ...together(one) })),
    all: together(answer.all),
    minimalUnsafe: answer.minimalUnsafe.map(({ set, reason, repairedBy }) => ({ set: ids(set), ...full(reason, traces), repairedBy: repairedBy.map(ids) })),
    landed: answer.landed.map((step) => ({
      since: step.since,
      commits: step.commits,
      adds: ids(step.added),
      set: ids(step.set),
      new: step.new.map(short),
      ...together(step),
    })),
  }
}

function together({ introduces, repairs, complete }: Together<Evidence>): object {
  return { introduces: introduces.map(short), repairs, complete }
}

function short({ scenario, check, evidence }: Reason<Evidence>): object {
  return { scenario, check, kind: evidence.kind, message: evidence.message }
}

function full(reason: Reason<Evidence>, traces: ReadonlyMap<string, Trace>): object {
  const steps = traces.get(traceKey(reason))?.steps
  return { ...short(reason), with: reason.found.on, ...(steps ? { steps } : {}) }
}

/** Names the trace of a failure under the switches it was searched with. */
export function traceKey({
  scenario,
  check,
  found,
}: {
  readonly scenario: string
  readonly check: string
  readonly found: { readonly on: readonly string[] }
}): string {
  return `${scenario} ${found.on.join(',')} ${check}`
}
