/** The model with all mistakes in it at once, each behind a switch of its own: it is parsed once, and compiled for any few of them. */
import type { Edit, Mutant } from './operators.ts'

/** The file of the switches. */
export const SWITCHES_FILE = 'kernel/mutants.ts'

/** A mutant and the name of its switch. */
export interface Named {
  readonly name: string
  readonly mutant: Pick<Mutant, 'file' | 'edits' | 'needs'>
}

/** The text of the file that declares the switches: all off, as no kernel has them. */
export function switchesFile(names: readonly string[]): string {
  const declared = names.map((name) => `  ${name}: { subject: '', effect: '' },\n`).join('')
  return `import { switches } from 'putpage/model'\nexport const mutant = switches({\n${declared}})\n`
}

/** The text of a file of the model with these mistakes behind their switches, of which at most one may be on. */
export function weave(file: string, text: string, mutants: readonly Named[]): string {
  if (mutants.length === 0) return text
  const inserts: Insert[] = []
  const statements = new Map<string, (Edit & { readonly name: string })[]>()
  for (const { name, mutant } of mutants) {
    for (const edit of mutant.edits) {
      const { start, end } = edit
      if (edit.how === 'assumed') inserts.push({ at: start, text: `(mutant.${name} || ` }, { at: end, text: ')', closes: start })
      else statements.set(`${start} ${end}`, [...(statements.get(`${start} ${end}`) ?? []), { ...edit, name }])
    }
  }
  for (const edits of statements.values()) {
    const [{ start, end }] = edits
    const done = (how: Edit['how']): string => edits.flatMap((edit) => (edit.how === how ? [`if (mutant.${edit.name}) { ${edit.text} } `] : [])).join('')
    const without = edits.flatMap(({ how, name }) => (how === 'without' ? [`!mutant.${name}`] : []))
    // What declares a variable is never left out, and must not stand in a block of its own.
    const declares = /^(const|let) /.test(text.slice(start, end))
    const [open, close] = without.length > 0 ? [`if (${without.join(' && ')}) { `, ' }'] : ['', '']
    inserts.push(
      { at: start, text: `${declares ? '' : '{ '}${done('before')}${open}` },
      { at: end, text: `${close}; ${done('after')}${declares ? '' : '}'}`, closes: start },
    )
  }
  // Where several end, the inner one ends first.
  inserts.sort((a, b) => a.at - b.at || (b.closes ?? -1) - (a.closes ?? -1))
  let woven = `import { mutant } from '${'../'.repeat(file.split('/').length - 2) || './'}mutants.ts'; ${[...new Set(mutants.flatMap(({ mutant }) => mutant.needs ?? []))].join('')}`
  let from = 0
  for (const { at, text: put } of inserts) {
    woven += text.slice(from, at) + put
    from = at
  }
  return woven + text.slice(from)
}

interface Insert {
  readonly at: number
  readonly text: string
  /** Where what it closes has begun. */
  readonly closes?: number
}
