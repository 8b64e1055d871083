/** `putpage list`: scenarios, kernels and switches, and what each is for. */
import type { Command } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { select } from './models.ts'

export function addList(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('list')
    .description('name the scenarios, the kernels, and the changes and fixes that can be switched')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  putpage list')
    .action((flags: { json?: boolean }) => {
      const { model, scenarios } = select([])
      const listed = {
        scenarios: scenarios.map(({ name, about, bounds, kernels, deep, shows }) => ({
          name,
          about,
          bounds,
          kernels: kernels.length > 0 ? kernels : model.kernels.map((kernel) => kernel.name),
          deep,
          shows,
        })),
        kernels: model.kernels,
        switches: [...model.switches].map(([name, declared]) => ({
          name,
          ...declared,
          in: model.kernels.filter((kernel) => kernel.has.includes(name)).map((kernel) => kernel.name),
        })),
      }
      process.stdout.write(flags.json ? `${JSON.stringify({ format: 'putpage-list/1', ...listed }, null, 2)}\n` : asText(listed))
      finish(0)
    })
}

interface Listed {
  readonly scenarios: readonly {
    readonly name: string
    readonly about: string
    readonly bounds: string
    readonly kernels: readonly string[]
    readonly deep: boolean
    readonly shows: readonly string[]
  }[]
  readonly kernels: readonly { readonly name: string; readonly about: string }[]
  readonly switches: readonly {
    readonly name: string
    readonly commit?: string
    readonly subject: string
    readonly effect: string
    readonly in: readonly string[]
  }[]
}

function asText({ scenarios, kernels, switches }: Listed): string {
  const lines: string[] = ['Scenarios']
  for (const { name, about, bounds, deep, shows, kernels: on } of scenarios) {
    lines.push(
      `  ${name}${deep ? ' (deep)' : ''}`,
      `      ${about}`,
      `      ${bounds}${shows.length > 0 ? `; shows ${shows.join(', ')}` : ''}${on.length < kernels.length ? `; on ${on.join(', ')}` : ''}`,
    )
  }
  lines.push('', 'Kernels')
  for (const { name, about } of kernels) lines.push(`  ${name.padEnd(12)} ${about}`)
  lines.push('', 'Changes and fixes (--with, --without; by name or commit)')
  for (const { name, commit, subject, effect, in: on } of switches)
    lines.push(
      `  ${name}`,
      `      ${commit === undefined ? '' : `${commit} `}"${subject}"`,
      `      ${effect}`,
      `      in: ${on.length > 0 ? on.join(', ') : 'none of these kernels'}`,
    )
  return `${lines.join('\n')}\n`
}
