/** The known bugs by kernels, for people. */
import type { BugCell, BugReport } from './bugs.ts'
import { type Palette, palette } from './palette.ts'
import { plural, wrap } from './wrap.ts'

/** Renders a row a bug and a column a kernel; below it what the words leave open. */
export function renderBugs(bugs: readonly BugReport[], options: { colour: boolean; width: number; kernels: readonly string[] }): string {
  const paint = palette(options.colour)
  const rows = bugs.map((bug) => ({ bug, cells: [...options.kernels.map((kernel) => bug.kernels[kernel]), bug.reverted] }))
  const head = ['bug', ...options.kernels, 'without its fix']
  const first = Math.max(head[0].length, ...bugs.map(({ id }) => id.length))
  const widths = head.slice(1).map((name, k) => Math.max(name.length, ...rows.map(({ cells }) => cellText(cells[k]).length)))
  const lines = [paint.faint(['bug'.padEnd(first), ...head.slice(1).map((name, k) => name.padEnd(widths[k]))].join('  ').trimEnd())]
  for (const { bug, cells } of rows) {
    const shown = cells.map((cell, k) => styleOf(cell, paint)(cellText(cell).padEnd(widths[k])))
    lines.push([bug.id.padEnd(first), ...shown].join('  ').trimEnd())
  }
  for (const bug of bugs) lines.push('', ...details(bug, options.kernels, options.width))
  return lines.join('\n')
}

/** `found (9)`: the number of steps of the shortest counterexample. */
function cellText(cell: BugCell | undefined): string {
  if (!cell) return 'no fix known'
  if (cell.verdict === 'found') return `found (${cell.steps})`
  return cell.verdict === 'not applicable' ? 'n/a' : cell.verdict
}

function styleOf(cell: BugCell | undefined, paint: Palette): Palette['bad'] {
  switch (cell?.verdict) {
    case 'found':
      return paint.bad
    case 'inconclusive':
      return paint.doubtful
    case 'absent':
      return paint.good
    default:
      return paint.faint
  }
}

function details({ id, about, kernels, reverted }: BugReport, names: readonly string[], width: number): string[] {
  const say = (text: string): string[] => wrap(text, width - 2, 2).map((line) => `  ${line}`)
  const lines = [...wrap(`${id}: ${about}`, width, 2)]
  // Kernels of which the same is to be said share a line.
  const said = new Map<string, string[]>()
  for (const kernel of names) {
    const cell = kernels[kernel]
    const text =
      cell.verdict === 'found'
        ? `found by ${cell.scenario}, ${cell.check}, ${plural(cell.steps ?? 0, 'step')}`
        : `${cell.verdict}${cell.reason === undefined ? '' : `: ${cell.reason}`}`
    if (cell.verdict !== 'absent') said.set(text, [...(said.get(text) ?? []), kernel])
  }
  for (const [text, on] of said) lines.push(...say(`${on.join(', ')}: ${text}`))
  if (reverted) {
    const how =
      reverted.verdict === 'found'
        ? `found again by ${reverted.scenario}, ${reverted.check}, ${plural(reverted.steps ?? 0, 'step')}${reverted.why === undefined ? '' : ` (${reverted.why})`}`
        : `${reverted.verdict}${reverted.reason === undefined ? '' : `: ${reverted.reason}`}`
    lines.push(...say(`${reverted.kernel} without ${reverted.without}: ${how}`))
  }
  return lines
}
