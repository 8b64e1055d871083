/** `putpage order` on a terminal: a short answer in words, then the tables. */
import { type CutAnswer, idsOf } from '../order/answer.ts'
import type { Reason } from '../order/judgement.ts'
import type { Evidence } from './evidence.ts'
import type { Answers, OrderFacts } from './order-facts.ts'
import { wrap } from './wrap.ts'

interface Look {
  readonly colour: boolean
  readonly width: number
}

/** Most lines of a list before the rest is counted. */
const MOST = 12

export function renderOrder(answers: readonly Answers[], facts: OrderFacts, { width }: Look): string {
  const { from, scenarios, searches, states, seconds } = facts
  const out: string[] = []
  const say = (text: string, indent = ''): void => void out.push(...wrap(text, width - indent.length).map((line) => `${indent}${line}`))
  const sets = answers.reduce((sum, { strict }) => sum + strict.lattice.full + 1, 0)
  say(`Which change can land first on ${from}${facts.to === undefined ? '' : `, on the way to ${facts.to}`}, and which must land together?`)
  say(
    `${sets.toLocaleString('en')} sets of changes, judged by ${scenarios} situations; ${
      searches === 0 ? 'all searched before' : `${searches.toLocaleString('en')} searches, ${states.toLocaleString('en')} states`
    }, ${seconds.toFixed(1)} s. Within the bounds of the situations, every interleaving.`,
  )
  for (const { strict, allowing } of answers) {
    out.push('')
    say(`== Cut "${strict.cut}"`)
    inWords(strict, allowing, say)
  }
  for (const { strict, allowing } of answers) {
    out.push('', `== Cut "${strict.cut}": each change alone on ${from}`)
    aloneTable(strict, say)
    out.push('')
    const { cut, minimalUnsafe, elements } = allowing ?? strict
    out.push(`== Cut "${cut}": the smallest unsafe sets${allowing ? ' (what all together introduce is allowed)' : ''}`)
    if (minimalUnsafe.length === 0) out.push('  none')
    for (const { set, reason, repairedBy } of minimalUnsafe.slice(0, 3 * MOST)) {
      say(idsOf(elements, set).join(' + '), '  ')
      say(`${reason.scenario}: ${reason.evidence.message}`, '      ')
      say(
        repairedBy.length === 0
          ? 'repaired by no other of these changes'
          : `repaired by adding ${listed(
              repairedBy.map((more) => idsOf(elements, more & ~set).join(' + ')),
              ' or ',
            )}`,
        '      ',
      )
      say(command(from, reason), '      ')
    }
    more(minimalUnsafe.length - 3 * MOST, out)
  }
  for (const { strict } of answers) {
    if (strict.landed.length === 0) continue
    out.push('', `== Cut "${strict.cut}": as Linux landed them, step by step`)
    landed(strict, from, say, out)
  }
  return out.join('\n')
}

type Say = (text: string, indent?: string) => void

function inWords(strict: CutAnswer<Evidence>, allowing: CutAnswer<Evidence> | undefined, say: Say): void {
  const { elements, lattice } = strict
  const names = (indices: readonly number[]): string => listed(indices.map((i) => elements[i].id))
  say(lattice.firstMovers.length === 0 ? 'None of them is safe alone.' : `Safe alone, so able to land first: ${names(lattice.firstMovers)}.`)
  const unsafe = elements.map((_, i) => i).filter((i) => !lattice.firstMovers.includes(i))
  if (unsafe.length > 0) say(`Not safe alone: ${names(unsafe)}.`)
  if (strict.undecided > 0) say(`${strict.undecided} sets are undecided: a limit was reached.`)
  if (allowing === undefined) {
    say(orders(strict))
    anyTime(strict, say)
    groups(strict, say)
    oneOrder(strict, say)
    return
  }
  const n = strict.all.introduces.length
  say(
    `All of them together introduce ${n} ${n === 1 ? 'failure' : 'failures'} that the kernel before has not, so no order to all of them is safe: ${listed(
      strict.all.introduces.slice(0, MOST).map(({ scenario, evidence }) => `${scenario} (${evidence.kind})`),
    )}${n > MOST ? `, and ${n - MOST} more` : ''}.`,
  )
  groups(strict, say)
  say(`If that price of the whole is allowed on the way: ${orders(allowing)}`)
  anyTime(allowing, say)
  groups(allowing, say)
  oneOrder(allowing, say)
}

function orders({ lattice, safe }: CutAnswer<Evidence>): string {
  const sets = `${safe.toLocaleString('en')} of ${(lattice.full + 1).toLocaleString('en')} sets are safe`
  return lattice.orders === 0
    ? `${sets}; no order from none to all keeps to safe sets by single steps.`
    : `${sets}; ${lattice.orders.toLocaleString('en')} orders from none to all in which each step is safe.`
}

/** What decides nothing, and what is left to be ordered. */
function anyTime({ elements, lattice, undecided }: CutAnswer<Evidence>, say: Say): void {
  if (undecided > 0 || lattice.free.length === 0 || lattice.free.length === lattice.size) return
  say(`At any time, before or after any other, can land: ${listed(lattice.free.map((i) => elements[i].id))}. What has to be ordered are the others.`)
}

function groups({ elements, lattice }: CutAnswer<Evidence>, say: Say): void {
  for (const { members, onto } of lattice.groups) {
    const after = onto === 0 ? '' : ` (after ${idsOf(elements, onto).join(', ')})`
    say(`Must land together: ${idsOf(elements, members).join(' + ')}${after}.`)
  }
}

/** Names an order, so that there is one to begin with. */
function oneOrder({ elements, lattice }: CutAnswer<Evidence>, say: Say): void {
  const { oneOrder: order, ordersWithGroups: count } = lattice
  if (!order || order.length < 2) return
  const steps = order.map((step) => idsOf(elements, step)).map((ids) => (ids.length === 1 ? ids[0] : `(${ids.join(' + ')})`))
  const among = lattice.orders > 0 ? 'One of them' : `With the groups as single steps there are ${count.toLocaleString('en')} orders. One of them`
  say(`${among}: ${steps.join(', ')}.`)
}

function aloneTable({ elements, alone }: CutAnswer<Evidence>, say: Say): void {
  for (const { element, safe, introduces, repairs, complete } of alone) {
    const said = safe ? 'safe' : introduces.length > 0 ? `unsafe, introduces ${introduces.length}` : 'undecided'
    say(`${elements[element].id}: ${said}${repairs.length > 0 ? `, repairs ${repairs.length}` : ''}${complete ? '' : ' (not all searched)'}`, '  ')
    for (const { scenario, evidence } of introduces.slice(0, 3)) say(`introduces ${scenario}: ${evidence.message}`, '      ')
    if (introduces.length > 3) say(`and ${introduces.length - 3} more`, '      ')
    for (const { scenario, check } of repairs.slice(0, 3)) say(`repairs ${scenario}: ${check}`, '      ')
    if (repairs.length > 3) say(`and ${repairs.length - 3} more`, '      ')
  }
}

function landed({ elements, landed: steps }: CutAnswer<Evidence>, from: string, say: Say, out: string[]): void {
  for (const step of steps) {
    say(`${step.since}: ${idsOf(elements, step.added).join(', ')} (${step.commits.join(', ')})`, '  ')
    say(step.introduces.length === 0 ? 'safe' : `${step.introduces.length} introduced since ${from}, ${step.new.length} by this step`, '      ')
    for (const reason of step.new.slice(0, 4)) say(`${reason.scenario}: ${reason.evidence.message}`, '      ')
    more(step.new.length - 4, out)
  }
}

function command(from: string, { scenario, found }: Reason<Evidence>): string {
  return `putpage check ${scenario} --kernel ${from}${found.on.length > 0 ? ` --with ${found.on.join(',')}` : ''}`
}

function listed(items: readonly string[], last = ' and '): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')}${last}${items.at(-1)}`
}

function more(count: number, out: string[]): void {
  if (count > 0) out.push(`      and ${count} more`)
}
