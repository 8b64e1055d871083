/** A plan: changes in the order they are to land. A step is a set of elements as bits; most steps are one element, some are groups. */
import { members, sizeOf } from '../../../src/order/lattice.ts'

export type Plan = readonly number[]

/** All that a plan lands. */
export function wholeOf(plan: Plan): number {
  return plan.reduce((set, step) => set | step, 0)
}

/** The set after each step. */
export function setsAfter(plan: Plan): number[] {
  let set = 0
  return plan.map((step) => (set |= step))
}

/** `no-devmap-bit,no-special-bit+folios-for-fsdax`; what is no element is left out, and so is what has landed already. */
export function parsePlan(text: string, ids: readonly string[]): Plan {
  let landed = 0
  return text.split(',').flatMap((part) => {
    const step = part.split('+').reduce((bits, id) => (ids.includes(id) ? bits | (1 << ids.indexOf(id)) : bits), 0) & ~landed
    landed |= step
    return step === 0 ? [] : [step]
  })
}

export function formatPlan(plan: Plan, ids: readonly string[]): string {
  return plan
    .map((step) =>
      members(step)
        .map((i) => ids[i])
        .join('+'),
    )
    .join(',')
}

/** Elements that are not in it land last, all of them as one step if there are several; those that are in it are taken out. */
export function toggled(plan: Plan, elements: number): Plan {
  const whole = wholeOf(plan)
  return (whole & elements) === elements ? plan.map((step) => step & ~elements).filter((step) => step !== 0) : [...plan, elements & ~whole]
}

/** A step moved before the one before it. */
export function earlier(plan: Plan, at: number): Plan {
  return at < 1 ? plan : [...plan.slice(0, at - 1), plan[at], plan[at - 1], ...plan.slice(at + 1)]
}

/** A step landed with the one before it. */
export function joined(plan: Plan, at: number): Plan {
  return at < 1 ? plan : [...plan.slice(0, at - 1), plan[at - 1] | plan[at], ...plan.slice(at + 1)]
}

/** A group taken apart: its elements land one after the other. */
export function split(plan: Plan, at: number): Plan {
  return [...plan.slice(0, at), ...members(plan[at]).map((i) => 1 << i), ...plan.slice(at + 1)]
}

/** A way to a set through safe sets with as few elements a step as can be; one element after the other where there is none. */
export function wayTo(set: number, reached: ReadonlySet<number>, groups: readonly number[]): Plan {
  const steps = [...members(set).map((i) => 1 << i), ...groups.filter((group) => (group & set) === group)]
  if (!reached.has(set)) return members(set).map((i) => 1 << i)
  const plan: number[] = []
  for (let rest = set; rest !== 0; ) {
    const last = steps.filter((step) => (rest & step) === step && reached.has(rest & ~step)).sort((a, b) => sizeOf(a) - sizeOf(b) || b - a)[0]
    if (last === undefined) return members(set).map((i) => 1 << i)
    plan.unshift(last)
    rest &= ~last
  }
  return plan
}
