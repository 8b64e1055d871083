/** Promela identifiers and types for the columns, threads and locals of a program. */
import type { ColumnId, LocalId, Program } from '../ir/program.ts'
import type { ThreadVariables } from './promela-variables.ts'

export interface Names {
  readonly columns: readonly string[]
  readonly threads: readonly string[]
  /** By thread, then by variable. */
  readonly variables: readonly (readonly string[])[]
}

/** Words of Promela, and names the export itself uses. */
const RESERVED = [
  'active assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan d_step do else empty enabled eval false fi for',
  'full get_priority goto hidden if in init inline int len local ltl mtype nempty never nfull notrace od of pc_value pid printf',
  'printm priority proctype provided return run select set_priority short show skip timeout trace true typedef unless unsigned xr xs',
  'np_ _ _last _nr_pr _pid _priority always eventually until weakuntil stronguntil implies equivalent release next define include',
  'ifdef endif',
  // Words of C, and of pan's source, which uses our names as they are.
  'auto case char const continue default double enum extern float long register signed sizeof static struct switch union void',
  'volatile while',
  'now trpt main uchar uint ulong ushort after_step forget ended dead watch done end_done end_dead on initially putpage_check putpage_failed putpage_fails',
]
  .join(' ')
  .split(' ')

/** Gives every column, thread and variable a name of its own that Promela accepts and a reader recognises. */
export function promelaNames(program: Program, variables: readonly ThreadVariables[]): Names {
  const taken = new Set(RESERVED)
  const columns = program.columns.map((column) => unique(column.cells.length === 1 ? column.cells[0] : `${column.struct}.${column.field}`, taken))
  const threads = program.threads.map((thread) => unique(thread.name, taken))
  const named = variables.map(({ list }, thread) => {
    // A local may share its name with one of another process, never with a global: it would hide it.
    const inThread = new Set(taken)
    return list.map(({ name, held }) => (held ? unique(name, inThread) : `scratch_${threads[thread]}_${unique(name, inThread)}`))
  })
  return { columns, threads, variables: named }
}

/** Gives the smallest Promela type that holds a range. */
export function promelaType(lo: number, hi: number): 'byte' | 'short' | 'int' {
  if (lo >= 0 && hi <= 255) return 'byte'
  return lo >= -32768 && hi <= 32767 ? 'short' : 'int'
}

/** Bytes that the variables of a program take in SPIN's state vector, at most; with what it keeps for each process. */
export function vectorBytes(program: Program, variables: readonly ThreadVariables[]): number {
  const bytes = (lo: number, hi: number): number => ({ byte: 1, short: 2, int: 4 })[promelaType(lo, hi)]
  const columns = program.columns.reduce((sum, column) => sum + column.cells.length * bytes(column.lo, column.hi), 0)
  const locals = variables.flatMap(({ list }) => list.filter(({ held }) => held)).reduce((sum, { lo, hi }) => sum + bytes(lo, hi), 0)
  return columns + locals + 16 * program.threads.length + 64
}

/** How an expression names what it reads. `thread` is undefined in a property, which reads no local. */
export interface Scope {
  column(id: ColumnId): { readonly name: string; readonly cells: number }
  local(id: LocalId): string
}

function unique(wanted: string, taken: Set<string>): string {
  const plain = wanted.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'x'
  // Names in capitals are macros of pan's; scratch variables are ours.
  const start = /^[0-9]|^[A-Z_0-9]+$|^scratch_/.test(plain) ? `n_${plain}` : plain
  let name = start
  for (let n = 2; taken.has(name); n++) name = `${start}_${n}`
  taken.add(name)
  return name
}
