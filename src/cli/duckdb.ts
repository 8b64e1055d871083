/** `--sql`: DuckDB over the events. It is no dependency of putpage's own: 70 MB, and few need it. */

import { Failure } from './failure.ts'
import { packageRoot } from './files.ts'

/** What a query gives. */
export interface QueryResult {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

const PACKAGE = '@duckdb/node-api'
/** The version that was tried. */
const VERSION = '1.5.6-r.1'

interface DuckDB {
  readonly DuckDBInstance: {
    create(path: string): Promise<{
      connect(): Promise<{
        run(sql: string): Promise<unknown>
        runAndReadAll(sql: string): Promise<{ columnNames(): string[]; getRowsJson(): unknown[][] }>
        closeSync(): void
      }>
    }>
  }
}

/** Loads DuckDB. Throws `Failure` with the command that installs it. */
export async function loadDuckDB(): Promise<DuckDB> {
  try {
    return (await import(PACKAGE)) as DuckDB
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ERR_MODULE_NOT_FOUND' ? '' : ` (${(error as Error).message.split('\n')[0]})`
    throw new Failure(`--sql needs DuckDB, which is installed on demand${why}:\n  npm install --no-save --prefix ${packageRoot()} ${PACKAGE}@${VERSION}`)
  }
}

/** Asks a query of the table `events`, a Parquet file. Throws `Failure` with DuckDB's message if the query is wrong. */
export async function askSql(duckdb: DuckDB, parquet: string, sql: string): Promise<QueryResult> {
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`create view events as select printf('0x%x', pfn) as page, * from read_parquet('${parquet.replaceAll("'", "''")}')`)
    try {
      const reader = await connection.runAndReadAll(sql)
      return { columns: reader.columnNames(), rows: reader.getRowsJson() }
    } catch (error) {
      throw new Failure(
        `--sql: ${(error as Error).message}\nThe table is events: page, time, cpu, pid, comm, pfn, op, val, ret, before, after, hint, mapcount, flags, mt, context, function, stack`,
      )
    }
  } finally {
    connection.closeSync()
  }
}

/** As a table for a terminal: columns by their widest value, numbers to the right. */
export function renderRows({ columns, rows }: QueryResult): string {
  const text = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))
  const cells = rows.map((row) => row.map(text))
  const numeric = columns.map((_, c) => cells.length > 0 && cells.every((row) => /^-?\d*(\.\d+)?(e[+-]?\d+)?$/.test(row[c])))
  const widths = columns.map((name, c) => cells.reduce((width, row) => Math.max(width, row[c].length), name.length))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd()
  return `${[line(columns), ...cells.map(line)].join('\n')}\n`
}
