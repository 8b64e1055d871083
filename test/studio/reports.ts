/** Reports of `putpage check --html`, made in this process: the model is loaded once for all. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileFor, select } from '../../src/cli/models.ts'
import { explore } from '../../src/engine/explore.ts'
import { checkPage } from '../../src/studio/check-page.ts'

export interface Report {
  readonly address: string
  readonly bytes: number
}

/** Writes a report for each scenario and kernel into a directory. */
export async function writeReports(directory: string, runs: readonly (readonly [string, string])[]): Promise<Map<string, Report>> {
  const selection = select(runs.map(([name]) => name))
  const reports = new Map<string, Report>()
  for (const [name, kernel] of runs) {
    const scenario = selection.scenarios.find((one) => one.name === name)
    if (!scenario) throw new Error(`there is no scenario ${name}`)
    const exploration = await explore(compileFor(selection.model, scenario, kernel, { with: [], without: [] }), { jobs: 1 })
    const text = checkPage(selection, [{ exploration }], () => `putpage check ${name} --kernel ${kernel}`)
    const file = join(directory, `${name}.html`)
    writeFileSync(file, text)
    reports.set(name, { address: pathToFileURL(file).href, bytes: text.length })
  }
  return reports
}
