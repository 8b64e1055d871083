/** What `putpage trace` writes beside its report: a page of HTML, Perfetto, Parquet, and answers to SQL. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { TimelineCollector } from '../report/timeline.ts'
import { traceDocument } from '../report/trace-document.ts'
import { PerfettoExport } from '../report/trace-perfetto.ts'
import { plural } from '../report/wrap.ts'
import type { AuditResult } from '../trace/audit.ts'
import { EventRowMaker } from '../trace/event-rows.ts'
import type { LifeJudge, ReferenceSink } from '../trace/judge.ts'
import { askSql, loadDuckDB, type QueryResult } from './duckdb.ts'
import { eventParquet } from './event-parquet.ts'
import { type FileInTheMaking, makeFile } from './whole-file.ts'

export interface OutputFlags {
  readonly html?: string
  readonly perfetto?: string
  readonly parquet?: string
  readonly sql?: string
}

/** Listens to an audit and writes. Call `finish` after it, and `discard` in any case. */
export interface Outputs {
  readonly judges: readonly LifeJudge[]
  readonly references: ReferenceSink | undefined
  /** Completes the files, asks the query. Gives what to say of the files, and the query's answer. */
  finish(result: AuditResult): Promise<{ readonly said: readonly string[]; readonly answer: QueryResult | undefined }>
  discard(): void
}

/** Begins the files. Throws `Failure` if one cannot be written, or DuckDB is not there: before anything is read. */
export async function outputsFor(trace: string, flags: OutputFlags, pfns: readonly number[]): Promise<Outputs> {
  const duckdb = flags.sql === undefined ? undefined : await loadDuckDB()
  const only = new Set(pfns)
  const files: FileInTheMaking[] = []
  const file = (name: string): FileInTheMaking => {
    const made = makeFile(name)
    files.push(made)
    return made
  }
  let scratch: string | undefined
  const discard = (): void => {
    for (const one of files) one.discard()
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
    scratch = undefined
  }
  try {
    const htmlFile = flags.html === undefined ? undefined : file(flags.html)
    const timeline = htmlFile && new TimelineCollector()
    const perfettoFile = flags.perfetto === undefined ? undefined : file(flags.perfetto)
    const perfetto = perfettoFile && new PerfettoExport((bytes) => perfettoFile.write(bytes), only)
    let parquetFile: FileInTheMaking | undefined
    if (flags.parquet !== undefined) parquetFile = file(flags.parquet)
    else if (flags.sql !== undefined) {
      scratch = mkdtempSync(join(tmpdir(), 'putpage-'))
      parquetFile = file(join(scratch, 'events.parquet'))
    }
    const parquet = parquetFile && eventParquet((bytes) => parquetFile.write(bytes))
    return {
      judges: [...(parquet ? [new EventRowMaker((rows) => parquet.add(rows), only)] : []), ...(timeline ? [timeline] : [])],
      references: perfetto,
      async finish(result) {
        const said: string[] = []
        if (timeline) htmlFile.write(await htmlPage(trace, result, timeline))
        const events = parquet?.finish() ?? 0
        const answer = duckdb && parquetFile && flags.sql !== undefined ? await askSql(duckdb, parquetFile.path, flags.sql) : undefined
        if (flags.html !== undefined) said.push(flags.html)
        if (flags.parquet !== undefined) said.push(`${flags.parquet}: ${plural(events, 'event')}`)
        if (perfetto && flags.perfetto !== undefined)
          said.push(`${flags.perfetto}: ${plural(perfetto.slices, 'reference')}; open it in https://ui.perfetto.dev`)
        for (const one of files) one.finish()
        return { said, answer }
      },
      discard,
    }
  } catch (error) {
    discard()
    throw error
  }
}

async function htmlPage(trace: string, result: AuditResult, collector: TimelineCollector): Promise<Uint8Array> {
  const { reportPage } = await import('../studio/page.ts')
  const { timeline, details } = collector.finish()
  const document = traceDocument(basename(trace), result, timeline, details, result.summary.tables)
  return new TextEncoder().encode(reportPage(`${basename(trace)}: putpage trace`, { kind: 'trace', trace: document }))
}
