/** The score, by file, and who survived. */
import { explanationRow } from './explanations.ts'
import { type Mutant, mutantKey } from './operators.ts'

/** `unreached`: in no program. `unfinished`: lives so far. */
export type Fate = 'killed' | 'refused' | 'survived' | 'unreached' | 'unfinished'

export interface Judged {
  readonly mutant: Mutant
  readonly fate: Fate
  /** By what, or why not. */
  readonly how: string
}

/** Files of the mail's diffstat: one of them without a killed mutant is not modelled. */
export const DIFFSTAT = [
  'kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts',
  'kernel/drivers/gpu/drm/amd/amdkfd/kfd_migrate.ts',
  'kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts',
  'kernel/fs/dax.ts',
  'kernel/fs/ext4/inode.ts',
  'kernel/fs/fuse/dax.ts',
  'kernel/fs/xfs/xfs_file.ts',
  'kernel/include/linux/dax.ts',
  'kernel/include/linux/memremap.ts',
  'kernel/include/linux/mm.ts',
  'kernel/lib/test_hmm.ts',
  'kernel/mm/internal.ts',
  'kernel/mm/memcontrol.ts',
  'kernel/mm/memremap.ts',
  'kernel/mm/migrate.ts',
  'kernel/mm/page_alloc.ts',
  'kernel/mm/swap.ts',
]

export interface Summary {
  readonly text: string
  /** Every survivor is explained, and every file has a killed mutant. */
  readonly ok: boolean
}

/** Renders the result. `whole`: every mutant of every file was judged, so that what is missing is missing. */
export function summarise(judged: readonly Judged[], explanations: ReadonlyMap<string, string>, whole: boolean): Summary {
  const files = [...new Set(judged.map(({ mutant }) => mutant.file))].sort()
  const lines: string[] = []
  const lived = judged.filter(({ fate }) => fate === 'survived' || fate === 'unreached' || fate === 'unfinished')
  const width = Math.max(...files.map((file) => file.length), 4)
  lines.push(`${'file'.padEnd(width)}  score  killed  survived  explained  in no program  not finished  refused`)
  const flagged: string[] = []
  for (const file of [...files, 'all']) {
    const own = file === 'all' ? judged : judged.filter(({ mutant }) => mutant.file === file)
    const count = (of: Fate): number => own.filter(({ fate }) => fate === of).length
    const [killed, survived, unreached, unfinished, refused] = [count('killed'), count('survived'), count('unreached'), count('unfinished'), count('refused')]
    const all = killed + survived + unreached + unfinished
    const explained = own.filter((one) => lived.includes(one) && explanations.has(mutantKey(one.mutant))).length
    const score = all === 0 ? '-' : `${Math.floor((100 * killed) / all)}%`
    const numbers = [killed, survived, explained, unreached, unfinished, refused].map((number, i) => String(number).padStart([6, 8, 9, 13, 12, 7][i]))
    const cells = [score.padStart(5), ...numbers]
    lines.push([file.padEnd(width), ...cells].join('  '))
    if (file !== 'all' && killed === 0) flagged.push(file)
  }
  const missing = whole ? DIFFSTAT.filter((file) => !files.includes(file)) : []
  const unexplained = lived.filter(({ mutant, fate }) => fate !== 'unfinished' && !explanations.has(mutantKey(mutant)))
  if (lived.length > 0) lines.push('', `survivors: ${lived.length}`)
  for (const { mutant, how } of lived) {
    const why = explanations.get(mutantKey(mutant))
    lines.push(`  ${mutant.file}:${mutant.line} ${mutant.function}: ${mutant.operator}: ${mutant.text}`)
    lines.push(`      ${why ?? `NOT EXPLAINED (${how})`}`)
  }
  if (flagged.length > 0) lines.push('', `no mutant of these files was killed: ${flagged.join(', ')}`)
  if (missing.length > 0) lines.push('', `files of the diffstat without any mutant: ${missing.join(', ')}`)
  const known = new Set(judged.filter((one) => !lived.includes(one)).map(({ mutant }) => mutantKey(mutant)))
  const everybody = new Set(judged.map(({ mutant }) => mutantKey(mutant)))
  const stale = [...explanations.keys()].filter((key) => known.has(key) || (whole && !everybody.has(key)))
  if (stale.length > 0) lines.push('', 'docs/mutants.md explains what no longer survives:', ...stale.map((key) => `  ${key}`))
  if (unexplained.length > 0) lines.push('', 'rows for docs/mutants.md, to be explained:', ...unexplained.map(({ mutant }) => explanationRow(mutant)))
  return { text: lines.join('\n'), ok: unexplained.length === 0 && flagged.length === 0 && missing.length === 0 && stale.length === 0 }
}
