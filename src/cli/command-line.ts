/** The command that reproduces a run. */

import type { Grain } from '../engine/verdict.ts'
import type { Program } from '../ir/program.ts'

/** `putpage check lost-wake --kernel v6.1 --without f4f451a16dd1`. */
export function reproducingCommand(program: Program, scenario: string, grain?: Grain): string {
  const changes = program.changes.map((change) => (change.startsWith('+') ? ` --with ${change.slice(1)}` : ` --without ${change.slice(1)}`)).join('')
  const kernel = program.kernel === 'none' ? '' : ` --kernel ${program.kernel}`
  return `putpage check ${scenario}${kernel}${changes}${grain === 'access' ? ' --grain access' : ''}`
}
