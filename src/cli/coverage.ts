/** `putpage check --coverage`: the steps of the model that were never taken. */
import { coverageByKernel, type KernelCoverage, neverCompiled, neverTaken } from '../report/coverage.ts'
import { type CoverageLook, renderCoverage, stepLines } from '../report/coverage-text.ts'
import type { ModelStep } from '../report/model-step.ts'
import type { Run } from '../report/run.ts'
import type { Selection } from './models.ts'

/** The member `coverage` of `putpage-check/1`. */
export interface CoverageReport {
  readonly kernels: readonly KernelCoverage[]
  /** Never taken on any of the kernels. */
  readonly never: readonly ModelStep[]
  /** In no program of any kernel; only if every scenario was searched on every kernel. */
  readonly notCompiled?: readonly ModelStep[]
}

/** Joins what runs took; `whole` says that they are all there are. */
export function coverageReport({ model }: Selection, runs: readonly Run[], whole: boolean): CoverageReport {
  return {
    kernels: coverageByKernel(runs),
    never: neverTaken(runs),
    ...(whole ? { notCompiled: neverCompiled(model.statements('kernel/'), runs) } : {}),
  }
}

/** The report for people; without `lists` only how many steps were taken. */
export function coverageText({ kernels, never, notCompiled }: CoverageReport, look: CoverageLook, lists: boolean): string {
  if (!lists) return renderCoverage(kernels, look, false)
  const blocks = [renderCoverage(kernels, look, true)]
  if (kernels.length > 1) blocks.push([`never taken on any of these kernels: ${never.length}`, ...stepLines(never, look)].join('\n'))
  if (notCompiled) blocks.push([`statements of kernel/ in no program of any kernel: ${notCompiled.length}`, ...stepLines(notCompiled, look)].join('\n'))
  return blocks.join('\n\n')
}
