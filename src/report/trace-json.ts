/** What an audit found, for programs: format putpage-trace/1 of docs/formats.md. */
import type { AuditResult } from '../trace/audit.ts'

const hex = (pfn: number): string => `0x${pfn.toString(16)}`

/** The object `putpage trace --json` prints. Findings are in order: the one to look at first comes first. */
export function auditJson(result: AuditResult): unknown {
  const { summary, conformance } = result
  const nanoseconds = (value: number | undefined): number | null => (value === undefined || !Number.isFinite(value) ? null : value)
  return {
    format: 'putpage-trace/1',
    kernel: result.kernel ?? null,
    release: summary.head.release ?? null,
    source: summary.head.format,
    instance: summary.head.instance,
    events: summary.events,
    deviceEvents: result.deviceEvents,
    lost: summary.lost,
    lostUncounted: summary.lossUnknown,
    absent: summary.absent,
    endsEarly: summary.end.complete ? null : summary.end.why,
    pages: result.pages,
    ranges: result.ranges.map((range) => ({
      start: hex(range.start),
      end: hex(range.end),
      type: range.type,
      freeAt: range.freeAt,
      from: range.from,
      name: range.name ?? null,
      pages: range.pages,
      open: range.open,
    })),
    findings: result.findings.map((finding) => ({
      kind: finding.kind,
      severity: finding.severity,
      why: finding.why,
      pages: finding.pages.map(hex),
      references: finding.references,
      callsites: finding.callsites.map((site) => ({
        function: site.function,
        class: site.class ?? null,
        stack: site.stack,
        references: site.references,
        share: Math.round(site.share * 1000) / 1000,
      })),
      example: finding.example
        ? {
            page: hex(finding.example.pfn),
            task: finding.example.pid === undefined ? null : `${summary.tables.comm(finding.example.pid) ?? '<...>'}-${finding.example.pid}`,
            time: nanoseconds(finding.example.time),
            age: nanoseconds(finding.example.age),
          }
        : null,
    })),
    conformance: {
      pages: conformance?.pages ?? 0,
      conforming: conformance?.conforming ?? 0,
      rejected: conformance?.rejected ?? 0,
      unknown: conformance?.unknown ?? 0,
      unmapped: conformance?.unmapped ?? 0,
      unmappedSites: (conformance?.unmappedSites ?? []).map((site) => ({ stack: site.stack, events: site.events })),
    },
  }
}
