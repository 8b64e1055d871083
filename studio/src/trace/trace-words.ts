/** How sure it is that nothing is wrong with a recording, in words. */
import type { OpenedTrace } from './model.ts'

/** The word above all: an error, or how sure it is that there is none. */
export function verdictOf({ report, model }: OpenedTrace): { readonly text: string; readonly look: 'bad' | 'good' | 'doubtful' } {
  const errors = report.findings.filter(({ severity }) => severity === 'error').length
  if (errors > 0) return { text: `✖ ${errors} ${errors === 1 ? 'error' : 'errors'} found`, look: 'bad' }
  if (model === 'pending') return { text: '… no error found so far: the model is being asked', look: 'doubtful' }
  if (report.lost > 0 || report.lostUncounted || report.endsEarly !== null)
    return { text: '? no error found, but events are missing: nothing is proved', look: 'doubtful' }
  if (model === 'none') return { text: '? no error found, but without the model: lost wakes and lives it forbids were not looked for', look: 'doubtful' }
  if (report.findings.some(({ severity }) => severity === 'unknown')) return { text: '? no error found, but not everything could be told', look: 'doubtful' }
  return { text: '✓ no error found', look: 'good' }
}

/** The model's word on a life that it does not forbid. */
export function modelWord(trace: OpenedTrace): string {
  const { kernel, conformance } = trace.report
  if (trace.model === 'none' || kernel === null) return 'This life was not held to the model: no model is at hand here, or the kernel is not known.'
  if (trace.model === 'pending') return `Being held to the model of ${kernel} …`
  return conformance.unmapped > 0
    ? `✓ The model of ${kernel} forbids nothing in this life (${conformance.unmapped.toLocaleString('en')} events of the trace are of functions that are not modelled).`
    : `✓ The model of ${kernel} allows this life.`
}
