/** `putpage trace a.dat b.dat --diff`: the same workload on two kernels. */
import type { ExitCode } from '../report/exit-code.ts'
import { type DiffSide, diffJson, renderDiff } from '../report/trace-diff.ts'
import { lineUp } from '../trace/life-diff.ts'
import { LifeShapes } from '../trace/life-shapes.ts'
import { outputColour, outputWidth } from './terminal.ts'
import { type AuditRequest, auditFile } from './trace-audit.ts'

/** Reads both, one after the other, and prints them side by side. */
export async function diffFiles(
  [a, b]: readonly [AuditRequest, AuditRequest],
  options: { readonly json: boolean; readonly pfns: readonly number[] },
): Promise<ExitCode> {
  const sides = [await sideOf(a, options.pfns), await sideOf(b, options.pfns)] as const
  const all = lineUp(sides[0].lives, sides[1].lives)
  if (options.json) process.stdout.write(`${JSON.stringify(diffJson(sides, all), null, 1)}\n`)
  else process.stdout.write(renderDiff(sides, all, { colour: outputColour(), width: Math.max(100, outputWidth()) }))
  const whole = sides.every(({ result: { summary } }) => summary.end.complete && summary.lost === 0 && !summary.lossUnknown)
  return whole ? 0 : 3
}

async function sideOf(request: AuditRequest, pfns: readonly number[]): Promise<DiffSide> {
  const shapes = new LifeShapes(new Set(pfns))
  const result = await auditFile({ ...request, judges: [shapes] })
  const lives = shapes.lives(({ pfn }) => result.ranges.find(({ start, end }) => pfn >= start && pfn <= end))
  return { file: request.path, result, lives }
}
