/** The lattice of sets of changes as DOT: the safe sets, and the steps between them. */
import { type CutAnswer, idsOf } from '../order/answer.ts'
import { members } from '../order/lattice.ts'

/** Draws the safe sets that can be reached, groups included, and, dashed, the steps that are unsafe by one element more. */
export function renderDot<Evidence>({ cut, elements, lattice, minimalUnsafe }: CutAnswer<Evidence>): string {
  const name = (set: number): string => `s${set}`
  const label = (set: number): string => (set === 0 ? 'none' : idsOf(elements, set).join('\\n'))
  const lines = [`digraph "${quote(cut)}" {`, '  rankdir=BT', '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=9]', '  edge [fontsize=8]']
  for (const set of lattice.reachableWithGroups) lines.push(`  ${name(set)} [label="${label(set)}"]`)
  for (const set of lattice.reachableWithGroups) {
    for (const i of members(lattice.full & ~set)) {
      const next = set | (1 << i)
      if (lattice.reachableWithGroups.has(next)) lines.push(`  ${name(set)} -> ${name(next)} [label="${elements[i].id}"]`)
    }
  }
  for (const { members: group, onto } of lattice.groups)
    lines.push(`  ${name(onto)} -> ${name(onto | group)} [style=bold, label="together: ${idsOf(elements, group).join(', ')}"]`)
  for (const { set, reason } of minimalUnsafe) {
    lines.push(`  ${name(set)} [label="${label(set)}\\nunsafe: ${quote(reason.scenario)}", style=dashed]`)
    for (const i of members(set)) {
      const before = set & ~(1 << i)
      if (lattice.reachableWithGroups.has(before)) lines.push(`  ${name(before)} -> ${name(set)} [style=dashed, label="${elements[i].id}"]`)
    }
  }
  return `${lines.join('\n')}\n}\n`
}

function quote(text: string): string {
  return text.replaceAll('"', '\\"')
}
