/** Steps of the model that were not taken, for people. */
import type { KernelCoverage } from './coverage.ts'
import type { ModelStep } from './model-step.ts'
import { palette } from './palette.ts'
import { grouped, plural } from './wrap.ts'

export interface CoverageLook {
  readonly colour: boolean
  readonly width: number
}

/** Renders what each kernel's searches took, and, with `lists`, each step that they never did. */
export function renderCoverage(kernels: readonly KernelCoverage[], look: CoverageLook, lists: boolean): string {
  const paint = palette(look.colour)
  return kernels
    .map(({ kernel, scenarios, complete, steps, taken, never }) => {
      const head = `${kernel}: ${grouped(taken)} of ${plural(steps, 'step')} of the model taken in ${plural(scenarios, 'scenario')}`
      if (!lists) return head
      const told = never.length === 0 ? '' : complete ? ', never:' : ', not (the searches were not complete):'
      return [paint.name(`${head}${told}`), ...stepLines(never, look)].join('\n')
    })
    .join(lists ? '\n\n' : '\n')
}

/** One line a step, files as headings. */
export function stepLines(steps: readonly ModelStep[], { colour, width }: CoverageLook): string[] {
  const paint = palette(colour)
  const lines: string[] = []
  let file = ''
  for (const step of steps) {
    if (step.file !== file) lines.push(`  ${step.file}`)
    file = step.file
    const place = `    ${String(step.line).padStart(4)}  ${step.function}: `
    lines.push(place + paint.faint(step.text.slice(0, Math.max(20, width - place.length))))
  }
  return lines
}
