/** Scenarios by kernels: one word a cell. */
import { palette } from './palette.ts'
import { failuresOf, type Run } from './run.ts'

/** Renders runs as a matrix: a row a scenario, a column a kernel, in the order given. A kernel the scenario makes no sense on is `-`. */
export function renderMatrix(runs: readonly Run[], options: { colour: boolean; kernels: readonly string[] }): string {
  const paint = palette(options.colour)
  const unique = (names: readonly string[]): string[] => [...new Set(names)]
  const { kernels } = options
  const scenarios = unique(runs.map(({ exploration }) => exploration.program.scenario))
  const cell = (scenario: string, kernel: string): string => {
    const run = runs.find(({ exploration }) => exploration.program.scenario === scenario && exploration.program.kernel === kernel)
    return run ? word(run) : '-'
  }
  const first = Math.max(...scenarios.map((scenario) => scenario.length), 'scenario'.length)
  const widths = kernels.map((kernel) => Math.max(kernel.length, ...scenarios.map((scenario) => cell(scenario, kernel).length)))
  const lines = [paint.faint(['scenario'.padEnd(first), ...kernels.map((kernel, k) => kernel.padEnd(widths[k]))].join('  ').trimEnd())]
  for (const scenario of scenarios) {
    const cells = kernels.map((kernel, k) => {
      const text = cell(scenario, kernel)
      const padded = text.padEnd(widths[k])
      return text === 'pass' || text === '-' ? paint.faint(padded) : paint.bad(padded)
    })
    lines.push([scenario.padEnd(first), ...cells].join('  ').trimEnd())
  }
  return lines.join('\n')
}

/** The worst kind of failure, or the verdict; `vacuous` and `inconclusive` are no passes. */
function word(run: Run): string {
  const [worst] = failuresOf(run)
  return worst ? worst.check.kind : run.exploration.verdict
}
