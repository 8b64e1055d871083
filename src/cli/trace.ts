/** `putpage trace`: who holds the page, on a real kernel. */
import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { auditJson } from '../report/trace-json.ts'
import { renderAudit } from '../report/trace-text.ts'
import type { AuditResult } from '../trace/audit.ts'
import type { DeviceRange } from '../trace/life.ts'
import { type FrameSet, ordinaryFrames, parseIomem, parseRange } from '../trace/ranges.ts'
import { Symbols } from '../trace/symbols.ts'
import { Failure } from './failure.ts'
import { PRESETS } from './model-rules.ts'
import { outputColour, outputWidth } from './terminal.ts'
import { type AuditRequest, auditFile } from './trace-audit.ts'
import type { OutputFlags, Outputs } from './trace-outputs.ts'

export interface TraceFlags extends OutputFlags {
  readonly iomem?: string
  readonly range: string[]
  readonly pfn: string[]
  readonly kallsyms?: string
  readonly kernel?: string
  readonly instance?: string
  readonly json?: true
  readonly diff?: true
  readonly threads?: string
}

const collect = (value: string, all: string[]): string[] => [...all, value]

export function addTrace(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('trace')
    .description('who holds the page: reads a recording of a real kernel, and says which device pages are still held and by which call site')
    .argument('<file>', 'trace.dat (6 or 7), or the text of trace-cmd report, tracefs or perf script; - for standard input')
    .argument('[other]', 'with --diff: another recording')
    .option('--iomem <file>', "the machine's /proc/iomem, copied as root: which frames are device pages (default: NAME.iomem beside NAME.dat)")
    .option('--range <a-b=type>', 'frames of device pages: private, coherent, fsdax, generic or p2pdma; may be given more than once', collect, [])
    .option('--pfn <frame>', "print a page's whole life; may be given more than once", collect, [])
    .option('--kernel <kernel>', "whose rules to judge by (default: that of the trace's own kernel)")
    .option('--kallsyms <file>', 'a copy of /proc/kallsyms of the same boot, made as root: names the functions of stacks that are recorded as addresses')
    .option('--instance <name>', 'which buffer of a trace.dat with several')
    .option('--json', 'print everything as JSON')
    .option('--html <file>', 'also write a page with the findings, the lives of their pages and a timeline: one file, needs no network')
    .option('--perfetto <file>', 'also write the references as a Perfetto trace: a track a page, a slice from get to put')
    .option('--parquet <file>', 'also write the events of device pages as a Parquet file')
    .option('--sql <query>', "ask a query of the table 'events' and print its rows instead (DuckDB, installed on demand)")
    .option('--diff', 'line up the same workload on two kernels, page life by page life')
    .option('--threads <n>', 'threads beside the main one that unpack and parse (default: one less than there are processors, at most 3)')
    .addHelpText(
      'after',
      `
Exit codes: 0 no error found, 1 an error found, 2 the file cannot be read, 3 it ends early or events are lost, and nothing is proved.

Examples:
  putpage trace trace.dat --iomem iomem.txt
  putpage trace trace.dat --pfn 0xfcfffe9
  putpage trace trace.dat --html report.html
  putpage trace trace.dat --sql "select function, count(*) from events where val < 0 group by 1 order by 2 desc"
  putpage trace v5.10.dat v6.1.dat --diff
  trace-cmd report trace.dat | putpage trace - --kernel v6.1 --range 0x40000-0x5ffff=fsdax`,
    )
    .action(async (path: string, other: string | undefined, flags: TraceFlags) => {
      finish(await traceFiles(path, other, flags))
    })
}

async function traceFiles(path: string, other: string | undefined, flags: TraceFlags): Promise<ExitCode> {
  const pfns = flags.pfn.map(frameNumber)
  if (flags.kernel !== undefined && !PRESETS.includes(flags.kernel))
    throw new Failure(`there is no kernel '${flags.kernel}'. The kernels: ${PRESETS.join(', ')}`)
  const { request, iomem } = requestFor(path, flags)
  if (flags.diff) {
    if (other === undefined) throw new Failure('--diff needs two recordings: putpage trace a.dat b.dat --diff')
    for (const flag of ['html', 'perfetto', 'parquet', 'sql'] as const) if (flags[flag] !== undefined) throw new Failure(`--${flag} is for one recording`)
    const { diffFiles } = await import('./trace-diff.ts')
    return diffFiles([request, requestFor(other, flags).request], { json: flags.json === true, pfns })
  }
  if (other !== undefined) throw new Failure('one recording at a time; two are lined up with --diff')
  const outputs = await outputsOf(path, flags, pfns)
  try {
    // What only some ask for is loaded for them only.
    const lives = pfns.length > 0 ? await import('./page-lives.ts').then(({ PageLives }) => new PageLives(pfns)) : undefined
    const result = await auditFile({ ...request, judges: [...(lives ? [lives.judge] : []), ...outputs.judges], references: outputs.references })
    const { said, answer } = await outputs.finish(result)
    if (answer) {
      process.stdout.write(flags.json ? `${JSON.stringify(answer, null, 1)}\n` : (await import('./duckdb.ts')).renderRows(answer))
      return 0
    }
    if (flags.json) process.stdout.write(`${JSON.stringify(auditJson(result), null, 1)}\n`)
    else if (lives) process.stdout.write(lives.text(result, outputColour()))
    else {
      const kernelFrom =
        flags.kernel !== undefined ? 'option' : result.kernel === undefined ? 'none' : result.summary.head.uname === undefined ? 'guess' : 'trace'
      process.stdout.write(renderAudit(result, { file: path, colour: outputColour(), width: outputWidth(), kernelFrom, iomem }))
    }
    if (said.length > 0) process.stderr.write(`${said.map((line) => `wrote ${line}`).join('\n')}\n`)
    return exitCodeOf(result)
  } finally {
    outputs.discard()
  }
}

/** What writes files is loaded only if some are to be written. */
async function outputsOf(path: string, flags: TraceFlags, pfns: readonly number[]): Promise<Outputs> {
  if (flags.html === undefined && flags.perfetto === undefined && flags.parquet === undefined && flags.sql === undefined)
    return { judges: [], references: undefined, finish: () => Promise.resolve({ said: [], answer: undefined }), discard() {} }
  const { outputsFor } = await import('./trace-outputs.ts')
  return outputsFor(path === '-' ? 'standard input' : path, flags, pfns)
}

/** What an audit's outcome is to a script. */
export function exitCodeOf(result: AuditResult): ExitCode {
  if (result.findings.some(({ severity }) => severity === 'error')) return 1
  const { summary } = result
  if (!summary.end.complete || summary.lost > 0 || summary.lossUnknown) return 3
  return result.findings.some(({ severity }) => severity === 'unknown') ? 3 : 0
}

function requestFor(path: string, flags: TraceFlags): { readonly request: AuditRequest; readonly iomem: string | undefined } {
  const iomem = iomemOf(path, flags)
  const ranges = [...flags.range.map(checked(parseRange)), ...(iomem?.ranges ?? [])]
  const { kernel, instance } = flags
  return { request: { path, ranges, ordinary: iomem?.ordinary, kernel, instance, threads: threadsOf(flags), symbols: symbolsOf(flags) }, iomem: iomem?.name }
}

function symbolsOf({ kallsyms }: TraceFlags): Symbols | undefined {
  if (kallsyms === undefined) return undefined
  let bytes: Uint8Array
  try {
    bytes = readFileSync(kallsyms)
  } catch (error) {
    throw new Failure(`${kallsyms} cannot be read: ${(error as Error).message}`)
  }
  const symbols = new Symbols(bytes)
  if (symbols.size > 0) return symbols
  const zeros = /^0+ [a-zA-Z] /m.test(new TextDecoder('latin1').decode(bytes.subarray(0, 4096)))
  throw new Failure(
    zeros
      ? `${kallsyms} has only zeros: /proc/kallsyms shows its addresses to root only; copy it as root, with kernel.kptr_restrict at 0 or 1`
      : `${kallsyms} holds no line of the form "ffffffff81000000 T name": is it a copy of /proc/kallsyms?`,
  )
}

function threadsOf(flags: TraceFlags): number | undefined {
  if (flags.threads === undefined) return undefined
  const asked = Number(flags.threads)
  if (!Number.isInteger(asked) || asked < 0 || asked > 64) throw new Failure(`--threads ${flags.threads}: a whole number from 0 to 64 is needed`)
  return asked
}

function iomemOf(path: string, flags: TraceFlags): { readonly ranges: DeviceRange[]; readonly ordinary: FrameSet; readonly name: string } | undefined {
  const beside = `${path.replace(/\.(dat|txt|trace)$/, '')}.iomem`
  const name = flags.iomem ?? (path !== '-' && existsSync(beside) ? beside : undefined)
  if (name === undefined) return undefined
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch (error) {
    throw new Failure(`${name} cannot be read: ${(error as Error).message}`)
  }
  try {
    return { ranges: parseIomem(text), ordinary: ordinaryFrames(text), name }
  } catch (error) {
    throw new Failure(`${name} ${(error as Error).message}`)
  }
}

function checked<A, B>(parse: (value: A) => B): (value: A) => B {
  return (value) => {
    try {
      return parse(value)
    } catch (error) {
      throw new Failure((error as Error).message)
    }
  }
}

function frameNumber(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new Failure(`--pfn ${text}: a page frame number is needed, as in 0x41819`)
  return value
}
