/** The lattice of sets of changes as DOT: the safe sets, and the steps between them. */
import { type CutAnswer, idsOf } from '../order/answer.ts'
import { members } from '../order/lattice.ts'

/**
 * Draws the safe sets that can be reached, groups included, and, dashed, the smallest unsafe ones. Elements that decide nothing are
 * named once, and drawn in no set: each would double the picture. Sets are named by the numbers of their elements, which a list
 * beside them explains; the steps that Linux took are bold.
 */
export function renderDot<Evidence>({ cut, elements, lattice, minimalUnsafe, landed, allowed }: CutAnswer<Evidence>): string {
  const name = (set: number): string => `s${set}`
  const numbers = (set: number): string =>
    members(set)
      .map((i) => i + 1)
      .join(' ')
  const free = lattice.free.reduce((bits, i) => bits | (1 << i), 0)
  const label = (set: number): string =>
    set === 0 ? 'none' : set === (lattice.full & ~free) ? (free === 0 ? 'all' : `all of these: ${numbers(set)}`) : numbers(set)
  const safe = new Set([...lattice.reachableWithGroups].filter((set) => (set & free) === 0))
  const lines = [
    `digraph "${quote(cut)}" {`,
    `  label="${quote(cut)}: sets of changes that safe steps lead to${allowed.length > 0 ? '; what all together introduce is allowed' : ''}"`,
    '  rankdir=BT',
    '  graph [fontname="sans-serif", fontsize=11]',
    '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=9, height=0.2, margin="0.06,0.03"]',
    '  edge [fontname="sans-serif", fontsize=7, arrowsize=0.5, color=gray50]',
    `  legend [shape=plaintext, label="${elements.map(({ id }, i) => `${i + 1} ${quote(id)}\\l`).join('')}"]`,
  ]
  if (free !== 0) lines.push(`  any [shape=note, label="at any time: ${numbers(free)}"]`)
  const steps = new Map<string, string>()
  for (const set of safe) lines.push(`  ${name(set)} [label="${label(set)}"]`)
  for (const set of safe) {
    for (const i of members(lattice.full & ~set & ~free)) {
      const next = set | (1 << i)
      if (safe.has(next)) steps.set(`${name(set)} -> ${name(next)}`, `label="${i + 1}"`)
    }
  }
  for (const { members: group, onto } of lattice.groups)
    steps.set(`${name(onto & ~free)} -> ${name((onto | group) & ~free)}`, `style=dashed, penwidth=2, color=black, label="together ${numbers(group)}"`)
  for (const { set, reason } of minimalUnsafe) {
    lines.push(`  ${name(set)} [label="${label(set)}\\nunsafe: ${quote(reason.scenario)}", style=dashed]`)
    for (const i of members(set)) {
      const before = set & ~(1 << i)
      if (safe.has(before)) steps.set(`${name(before)} -> ${name(set)}`, `style=dashed, label="${i + 1}"`)
    }
  }
  let before = 0
  for (const { set: whole, since } of landed) {
    const set = whole & ~free
    if (set === before) continue
    if (!safe.has(set) && !minimalUnsafe.some((one) => one.set === set)) lines.push(`  ${name(set)} [label="${label(set)}", style=dotted]`)
    const step = `${name(before)} -> ${name(set)}`
    const together = /together [^"]*/.exec(steps.get(step) ?? '')?.[0]
    steps.set(step, `penwidth=3, color=black, label="Linux ${quote(since)}${together === undefined ? '' : `: ${together}`}"`)
    before = set
  }
  for (const [step, look] of steps) lines.push(`  ${step} [${look}]`)
  for (const { since, set, added } of landed) lines.push(`  // ${since}: ${idsOf(elements, added).join(', ')}${safe.has(set & ~free) ? '' : ' (not safe)'}`)
  return `${lines.join('\n')}\n}\n`
}

function quote(text: string): string {
  return text.replaceAll('"', '\\"')
}
