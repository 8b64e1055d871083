/** What an audit of a trace found, for a person at a terminal: the verdict first, then the findings, then who holds what. */
import type { AuditResult } from '../trace/audit.ts'
import type { CallSite, Finding, JudgedRange } from '../trace/finding.ts'
import type { TraceTables } from '../trace/source.ts'
import { duration } from '../trace/words.ts'
import { type Palette, palette } from './palette.ts'
import { grouped, plural, wrap } from './wrap.ts'

export interface TraceTextOptions {
  readonly file: string
  readonly colour: boolean
  readonly width: number
  /** The kernel whose rules were asked for, if the trace itself does not say. */
  readonly kernelFrom: 'trace' | 'option' | 'guess' | 'none'
  /** A file of /proc/iomem that was used. */
  readonly iomem: string | undefined
}

/** Frames of a stack that are printed: the rest is how the system call came there. */
const FRAMES = 8
/** Findings of a severity that are printed in full. */
const MOST = 12

/** Renders the whole report. */
export function renderAudit(result: AuditResult, options: TraceTextOptions): string {
  const paint = palette(options.colour)
  const lines: string[] = [verdictLine(result, paint), '']
  lines.push(...about(result, options))
  for (const finding of result.findings.filter(({ severity }) => severity !== 'info').slice(0, MOST))
    lines.push('', ...findingLines(finding, result, options, paint))
  const holders = result.findings.filter(({ kind, callsites }) => kind === 'held' && callsites.length > 0)
  if (holders.length > 0) lines.push('', ...holderTable(holders, result.summary.tables, paint))
  const notes = result.findings.filter(({ severity, kind, callsites }) => severity === 'info' && !(kind === 'held' && callsites.length > 0))
  for (const note of notes.slice(0, MOST)) lines.push('', ...wrap(note.why, options.width, 0))
  if (result.conformance) lines.push('', ...conformanceLines(result, options))
  return `${lines.join('\n')}\n`
}

/** The verdict in one line. */
function verdictLine(result: AuditResult, paint: Palette): string {
  const { findings, summary } = result
  const errors = findings.filter(({ severity }) => severity === 'error')
  const unknown = findings.filter(({ severity }) => severity === 'unknown')
  if (errors.length > 0) {
    const [first] = errors
    const what =
      first.kind === 'held'
        ? `${plural(first.references, 'reference')} on ${plural(first.pages.length, 'page')}, taken by ${blamed(first)}`
        : `${first.kind}: ${blamed(first)}`
    return paint.bad(`${plural(errors.length, 'error')}: ${what}`)
  }
  if (result.pages === 0) return paint.doubtful('no device page had an event')
  if (!summary.end.complete) return paint.doubtful(`no error found as far as it reads; the trace ends early ${summary.end.why}`)
  if (summary.lost > 0 || summary.lossUnknown) return paint.doubtful('no error found; events are lost, so that is no proof')
  if (unknown.length > 0) return paint.doubtful(`no error found; ${plural(unknown.length, 'finding')} cannot be decided`)
  return paint.good('no error found')
}

function blamed(finding: Finding): string {
  const [first] = finding.callsites
  return first ? `${first.function}()` : 'an unknown site'
}

function about(result: AuditResult, options: TraceTextOptions): string[] {
  const { summary } = result
  const { head } = summary
  const from = { trace: '', option: ' (--kernel)', guess: ' (guessed from its functions)', none: '' }[options.kernelFrom]
  const seconds = Number.isFinite(summary.lastTime - summary.firstTime) ? duration(summary.lastTime - summary.firstTime) : '0 s'
  const kernel = result.kernel === undefined ? 'kernel unknown: give --kernel' : `judged by the rules of ${result.kernel}${from}`
  const first = [`${options.file}: ${head.format}`, head.release === undefined ? kernel : `Linux ${head.release}, ${kernel}`].join(', ')
  const lost =
    summary.lossUnknown || summary.lost > 0
      ? `${summary.lossUnknown ? 'at least ' : ''}${plural(summary.lost, 'event')} lost`
      : summary.absent.length > 0
        ? 'no gaps'
        : 'none lost'
  const clock = head.clock === undefined ? '' : `, clock ${head.clock}${head.comparable === false ? ' (not comparable between CPUs)' : ''}`
  const counts = `${plural(summary.events, 'event')} in ${seconds}${clock}, ${lost}; ${plural(result.deviceEvents, 'event')} on ${plural(result.pages, 'device page')}`
  const lines = [...wrap(first, options.width, 2), ...wrap(counts, options.width, 2)]
  if (head.instances.length > 1)
    lines.push(
      ...wrap(`instance ${JSON.stringify(head.instance)} of ${head.instances.map((name) => JSON.stringify(name)).join(', ')} (--instance)`, options.width, 2),
    )
  for (const { cpu, absent, counted } of summary.absent) {
    const share = absent === counted ? 'none' : `all but ${grouped(absent)}`
    lines.push(
      ...wrap(
        `CPU ${cpu}: ${share} of the ${grouped(counted)} records that the kernel counted are in the file${absent === counted ? '' : '; no leak is concluded from what came after its last one'}`,
        options.width,
        2,
      ),
    )
  }
  for (const range of result.ranges.slice(0, 20)) lines.push(...inset(rangeLine(range, options), options.width, 2))
  if (result.ranges.length > 20) lines.push(`  and ${plural(result.ranges.length - 20, 'range')} more`)
  if (!summary.end.complete) lines.push(...wrap(`The trace ends early ${summary.end.why}.`, options.width, 2))
  return lines
}

function rangeLine(range: JudgedRange, options: TraceTextOptions): string {
  const from = {
    kprobe: 'a probe in the trace',
    iomem: `${options.iomem ?? '/proc/iomem'}${range.name === undefined ? '' : `: ${range.name}`}`,
    option: '--range',
    zone: 'the zone in the flags',
    shape: 'what is done to its pages',
  }[range.from]
  return `${hex(range.start)}-${hex(range.end)}  ${range.type}, free at ${range.freeAt}, ${plural(range.pages, 'page')}${range.open > 0 ? `, ${grouped(range.open)} in use at the end` : ''}  (from ${from})`
}

function findingLines(finding: Finding, result: AuditResult, options: TraceTextOptions, paint: Palette): string[] {
  const style = finding.severity === 'error' ? paint.bad : paint.doubtful
  const lines = wrap(`${finding.severity}: ${finding.kind}. ${finding.why}`, options.width, 2).map((line, i) => (i === 0 ? style(line) : line))
  for (const site of finding.callsites.slice(0, 3)) {
    lines.push('')
    lines.push(
      `  ${site.share < 1 ? `${Math.round(site.share * 100)} %  ` : ''}${paint.name(site.function)}${site.class ? paint.faint(`  ${site.class}`) : ''}`,
    )
    lines.push(...stackLines(site, paint))
  }
  if (finding.pages.length > 0) {
    const some = finding.pages.slice(0, 8).map(hex).join(' ')
    lines.push('', ...inset(`pages: ${some}${finding.pages.length > 8 ? ` and ${grouped(finding.pages.length - 8)} more` : ''}`, options.width, 2))
  }
  const { example } = finding
  if (example) {
    const who = example.pid === undefined ? '' : ` by ${task(result.summary.tables, example.pid)}`
    const when = example.time === undefined ? '' : ` at ${(example.time / 1e9).toFixed(6)}`
    const age = example.age === undefined ? '' : `, ${duration(example.age)} before the trace ends`
    lines.push(
      ...inset(`for one: ${hex(example.pfn)}${who}${when}${age}; its whole life: putpage trace ${options.file} --pfn ${hex(example.pfn)}`, options.width, 2),
    )
  }
  return lines
}

function stackLines(site: CallSite, paint: Palette): string[] {
  const lines = site.stack.slice(0, FRAMES).map((name) => (name === site.function ? `    ${paint.name(name)}` : paint.faint(`    ${name}`)))
  if (site.stack.length > FRAMES) lines.push(paint.faint(`    ... ${plural(site.stack.length - FRAMES, 'frame')} more`))
  return lines
}

function holderTable(findings: readonly Finding[], tables: TraceTables, paint: Palette): string[] {
  const rows = findings.slice(0, 20).map((finding) => {
    const [site] = finding.callsites
    const { example } = finding
    return [
      grouped(finding.references),
      grouped(finding.pages.length),
      site.class ?? '',
      site.share < 1 ? `${site.function} (${Math.round(site.share * 100)} %)` : site.function,
      example?.pid === undefined ? '' : task(tables, example.pid),
      example?.age === undefined ? '' : duration(example.age),
      finding.severity,
    ]
  })
  const head = ['references', 'pages', 'held as', 'taken by', 'task', 'age', '']
  const widths = head.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c].length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (c < 2 || c === 5 ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd()
  const lines = [paint.faint(line(head)), ...rows.map(line)]
  if (findings.length > 20) lines.push(`and ${plural(findings.length - 20, 'more holder')}`)
  return lines
}

function conformanceLines(result: AuditResult, options: TraceTextOptions): string[] {
  const { conformance } = result
  if (!conformance) return []
  const lines = wrap(
    `Held to the model of ${result.kernel ?? 'an unknown kernel'}: ${plural(conformance.pages, 'page')}, ${grouped(conformance.rejected)} ${conformance.rejected === 1 ? 'life' : 'lives'} the model does not allow, ${plural(conformance.unmapped, 'event')} of functions that are not modelled.`,
    options.width,
    2,
  )
  for (const site of conformance.unmappedSites.slice(0, 5))
    lines.push(...inset(`${grouped(site.events)}  ${site.stack.slice(0, 4).join(' < ')}`, options.width, 2))
  return lines
}

function task(tables: TraceTables, pid: number): string {
  return `${tables.comm(pid) ?? '<...>'}-${pid}`
}

/** Wrapped and moved in: `wrap` begins at the margin. */
function inset(text: string, width: number, by: number, more = 2): string[] {
  return wrap(text, width - by, more).map((line) => ' '.repeat(by) + line)
}

export function hex(pfn: number): string {
  return `0x${pfn.toString(16)}`
}
