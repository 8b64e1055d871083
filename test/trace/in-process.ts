/** Reads and audits traces in this process: what `putpage trace` does, without threads, without the model, and with the result at hand. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/cli/files.ts'
import { makeInflate } from '../../src/cli/inflate.ts'
import { Audit, type AuditResult } from '../../src/trace/audit.ts'
import { type ByteFile, memoryFile } from '../../src/trace/byte-file.ts'
import { ownThread, readDat } from '../../src/trace/dat/read.ts'
import type { KernelRules } from '../../src/trace/kernel-rules.ts'
import type { DeviceRange } from '../../src/trace/life.ts'
import { openTrace } from '../../src/trace/open.ts'
import { copyRow, type EventBatch, eventAt, newBatch, type PageEvent } from '../../src/trace/page-event.ts'
import { versionOf } from '../../src/trace/page-flags.ts'
import { parseIomem } from '../../src/trace/ranges.ts'
import type { TraceHead, TraceListener, TraceSummary, TraceTables } from '../../src/trace/source.ts'
import { readText } from '../../src/trace/text/read.ts'
import type { Gap } from './planted.ts'

const inflate = await makeInflate()

/** The path of an excerpt. */
export function excerpt(name: string): string {
  return join(packageRoot(), 'test/traces', name)
}

export function fileOf(name: string): ByteFile {
  return memoryFile(new Uint8Array(readFileSync(excerpt(name))), name)
}

/** The ranges of the /proc/iomem that belongs to an excerpt. */
export function rangesOf(name: string): DeviceRange[] {
  const beside = [name.replace(/\.\w+$/, '.iomem'), name.replace(/[^/]*$/, 'iomem')].map(excerpt).find(existsSync)
  return beside === undefined ? [] : parseIomem(readFileSync(beside, 'utf8'))
}

/** One pass; `instance` of a trace.dat, '' being the top one. */
export async function pass(file: ByteFile, listener: TraceListener, instance?: string): Promise<TraceSummary> {
  const trace = openTrace(file, inflate)
  if (trace.kind === 'text') return readText(file, trace.text, listener)
  return readDat(trace.dat, instance ?? trace.instances[0] ?? '', (layout) => ownThread(layout, inflate), listener)
}

/** What is known of the kernels without their model: enough to judge ranges and the one put that wakes nobody. */
export function plainRules(release: string | undefined): KernelRules | undefined {
  if (release === undefined) return undefined
  const version = versionOf(release)
  return {
    kernel: `v${release.split('.').slice(0, 2).join('.')}`,
    freeAt(type) {
      if (type === 'private' || type === 'coherent') return version < 5018 ? 1 : 0
      return type === 'generic' || version < 7000 ? 1 : 0
    },
    wakesAtIdle: (type, frames) => (type === 'fsdax' ? !(version > 6000 && version < 6002 && frames[0] === '__bio_release_pages') : undefined),
    waiters: () => ['xfs_break_dax_layouts'],
  }
}

export async function auditOf(file: ByteFile, ranges: readonly DeviceRange[], instance?: string): Promise<AuditResult> {
  const audit = new Audit({ ranges, rules: plainRules })
  return audit.finish(await pass(file, audit.listener, instance))
}

/** A trace as rows that can be tampered with. */
export interface Rows {
  readonly head: TraceHead
  readonly tables: TraceTables
  readonly summary: TraceSummary
  readonly rows: PageEvent[]
}

export async function rowsOf(file: ByteFile): Promise<Rows> {
  const rows: PageEvent[] = []
  let head: TraceHead | undefined
  let tables: TraceTables | undefined
  const summary = await pass(file, {
    head: (said) => {
      head = said
    },
    events: (batch, found) => {
      tables = found
      for (let row = 0; row < batch.length; row++) rows.push(eventAt(batch, row))
    },
  })
  return { head: head as TraceHead, tables: tables as TraceTables, summary, rows }
}

/** All rows of a trace in one batch: quick to cut. */
export async function batchOf(file: ByteFile): Promise<{ head: TraceHead; tables: TraceTables; summary: TraceSummary; batch: EventBatch }> {
  const parts: EventBatch[] = []
  let head: TraceHead | undefined
  let tables: TraceTables | undefined
  const summary = await pass(file, {
    head: (said) => {
      head = said
    },
    events: (batch, found) => {
      tables = found
      parts.push(slice(batch, 0, batch.length))
    },
  })
  const batch = newBatch(Math.max(1, summary.events))
  for (const part of parts) for (let row = 0; row < part.length; row++) copyRow(part, row, batch, batch.length++)
  return { head: head as TraceHead, tables: tables as TraceTables, summary, batch }
}

export function slice(batch: EventBatch, from: number, to: number): EventBatch {
  const part = newBatch(Math.max(1, to - from))
  for (let row = from; row < to; row++) copyRow(batch, row, part, part.length++)
  return part
}

/** Audits rows as if they were the whole recording; `gaps` in order. */
export function auditRows(
  of: { head: TraceHead; tables: TraceTables; summary: TraceSummary },
  batch: EventBatch,
  ranges: readonly DeviceRange[],
  rules: (release: string | undefined) => KernelRules | undefined = plainRules,
  gaps: readonly Gap[] = [],
  knownUntil = batch.length > 0 ? batch.time[batch.length - 1] : 0,
): AuditResult {
  const audit = new Audit({ ranges, rules })
  audit.listener.head?.(of.head)
  let from = 0
  const until = (row: number): void => {
    for (; from < row; from = Math.min(row, from + 4096)) audit.listener.events(slice(batch, from, Math.min(row, from + 4096)), of.tables)
  }
  for (const gap of gaps) {
    until(gap.row)
    audit.listener.lost?.(gap)
  }
  until(batch.length)
  return audit.finish({
    ...of.summary,
    events: batch.length,
    end: { complete: true },
    lastTime: batch.length > 0 ? batch.time[batch.length - 1] : 0,
    knownUntil,
  })
}

export function errorsOf(result: AuditResult): string[] {
  return result.findings.filter(({ severity }) => severity === 'error').map(({ kind, callsites, why }) => `${kind} ${callsites[0]?.function ?? ''}: ${why}`)
}
