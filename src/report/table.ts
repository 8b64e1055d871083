/** Many runs at a glance: one line each. */
import { unreachable } from '../ir/program.ts'
import { kernelName } from './bounds.ts'
import { type Palette, palette } from './palette.ts'
import { failuresOf, type Run } from './run.ts'
import { grouped, plural, wrap } from './wrap.ts'

const HEAD = ['scenario', 'kernel', 'states', 'seconds', 'verdict']
const GAP = '  '
const VERDICTS: readonly Run['exploration']['verdict'][] = ['pass', 'violation', 'vacuous', 'inconclusive']

/** Renders runs as a table with a line of totals. Rows keep their order; a scenario's name is printed once. */
export function renderTable(runs: readonly Run[], options: { colour: boolean; width: number }): string {
  const paint = palette(options.colour)
  const rows = runs.map((run, i) => {
    const { exploration } = run
    const { scenario } = exploration.program
    const repeated = i > 0 && runs[i - 1].exploration.program.scenario === scenario
    return { run, cells: [repeated ? '' : scenario, kernelName(run), grouped(exploration.states), exploration.seconds.toFixed(1)] }
  })
  const widths = HEAD.slice(0, 4).map((name, c) => Math.max(name.length, ...rows.map(({ cells }) => cells[c].length)))
  const left = (cells: readonly string[]): string => cells.map((cell, c) => (c < 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join(GAP)
  const taken = widths.reduce((sum, width) => sum + width + GAP.length, 0)
  const room = Math.max(20, options.width - taken)
  const lines = [paint.faint(`${left(HEAD.slice(0, 4))}${GAP}${HEAD[4]}`)]
  for (const { run, cells } of rows) {
    const style = styleOf(run, paint)
    wrap(verdictText(run), room, 2).forEach((text, i) => {
      lines.push(`${i === 0 ? left(cells) + GAP : ' '.repeat(taken)}${style(text)}`)
    })
  }
  const counts = VERDICTS.map((verdict) => ({ verdict, count: runs.filter((run) => run.exploration.verdict === verdict).length }))
  const sums = counts.filter(({ count }) => count > 0).map(({ verdict, count }) => `${grouped(count)} ${verdict}`)
  lines.push('', `${plural(runs.length, 'run')}${sums.length > 0 ? `: ${sums.join(', ')}` : ''}`, '')
  return lines.join('\n')
}

/** The verdict of a run with what it is about: `violation: lost-wake, 2 warn; 3 checks masked`. */
export function verdictText(run: Run): string {
  const { verdict, sometimes, limit, checks } = run.exploration
  switch (verdict) {
    case 'pass':
      return 'pass'
    case 'vacuous': {
      const never = sometimes.filter(({ reached, exempt }) => !reached && exempt === undefined).map(({ name }) => name)
      return `vacuous: never ${never.join(', never ')}`
    }
    case 'inconclusive':
      return `inconclusive: ${limit ?? 'the search did not end'}`
    case 'violation': {
      const kinds = failuresOf(run).map(({ check }) => check.kind)
      const named = [...new Set(kinds)].map((kind) => {
        const count = kinds.filter((one) => one === kind).length
        return count === 1 ? kind : `${count} ${kind}`
      })
      const masked = checks.filter(({ outcome }) => outcome === 'masked').length
      return `violation: ${named.join(', ')}${masked > 0 ? `; ${plural(masked, 'check')} masked` : ''}`
    }
    default:
      return unreachable(verdict)
  }
}

function styleOf(run: Run, paint: Palette): Palette['bad'] {
  switch (run.exploration.verdict) {
    case 'pass':
      return paint.good
    case 'inconclusive':
      return paint.doubtful
    case 'violation':
    case 'vacuous':
      return paint.bad
  }
}
