/** What is wrong, and who holds which page: findings in order, each with its holders and their call stacks. */

import { Stack } from './life-pair.tsx'
import { KINDS } from './life-wrong.ts'
import type { OpenedTrace } from './model.ts'
import type { TraceFinding } from './protocol.ts'

const SIGN = { error: '✖ error', unknown: '? not known', info: 'i note' } as const
/** Pages of a finding that are listed. */
const MOST = 24

export function Findings({ trace, selected, onPage }: { trace: OpenedTrace; selected: number | undefined; onPage: (pfn: number) => void }) {
  const { findings, ranges, conformance } = trace.report
  return (
    <section class="scroll findings" aria-label="Findings" tabIndex={0}>
      <h2>Findings and holders</h2>
      {findings.length === 0 && (
        <p class="note">
          {trace.model === 'held'
            ? 'Nothing is wrong: no page is held beyond its time, and every count has an order that explains it.'
            : 'Nothing found in counts and holders alone.'}
        </p>
      )}
      {findings.map((finding, i) => (
        <Finding key={`${finding.kind}${i}`} finding={finding} open={i === 0 || finding.severity === 'error'} selected={selected} onPage={onPage} />
      ))}
      <h3>Device pages</h3>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">frames</th>
            <th scope="col">type</th>
            <th scope="col" class="number">
              free at
            </th>
            <th scope="col" class="number">
              pages
            </th>
            <th scope="col" class="number">
              held at the end
            </th>
          </tr>
        </thead>
        <tbody>
          {ranges.map((range) => (
            <tr key={range.start}>
              <td>
                <code>
                  {range.start}-{range.end}
                </code>
              </td>
              <td>{range.type}</td>
              <td class="number">{range.freeAt}</td>
              <td class="number">{range.pages.toLocaleString('en')}</td>
              <td class="number">{range.open.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">
        {trace.model === 'none'
          ? 'Lives were not held to the model: no model is at hand here, or the kernel is not known. Choose whose rules to judge by, and read again.'
          : trace.model === 'pending'
            ? 'Lives are being held to the model …'
            : `Held to the model: ${conformance.pages.toLocaleString('en')} pages, ${conformance.rejected.toLocaleString('en')} lives it does not allow, ${conformance.unmapped.toLocaleString('en')} events of functions that are not modelled.`}
      </p>
    </section>
  )
}

function Finding({ finding, open, selected, onPage }: { finding: TraceFinding; open: boolean; selected: number | undefined; onPage: (pfn: number) => void }) {
  const { severity, kind, why, callsites, example } = finding
  // The page of the task that is named comes first.
  const pages = example ? [example.page, ...finding.pages.filter((page) => page !== example.page)] : finding.pages
  return (
    <details class={`finding s-${severity}`} open={open}>
      <summary>
        <b>{SIGN[severity]}</b> {KINDS[kind] ?? kind}{' '}
        <span class="faint">
          {pages.length.toLocaleString('en')} {pages.length === 1 ? 'page' : 'pages'}
        </span>
      </summary>
      <p>{why}</p>
      {callsites.map((site, i) => (
        <details key={`${site.function}${i}`} class="holder" open={i === 0 && open}>
          <summary>
            <code>{site.function}()</code> {site.class ? <span class="faint">{site.class}</span> : null}
            {site.references > 0 && (
              <span>
                {' '}
                {site.references.toLocaleString('en')} {site.references === 1 ? 'reference' : 'references'}
                {site.share < 1 ? `, ${Math.round(site.share * 100)} % likely` : ''}
              </span>
            )}
          </summary>
          <Stack title={kind === 'held' ? 'taken here' : 'call site'} frames={site.stack} />
        </details>
      ))}
      <p class="pages">
        {example?.task && <span class="faint">first: {example.task}, on </span>}
        {pages.slice(0, MOST).map((page) => (
          <button type="button" key={page} aria-pressed={Number(page) === selected} onClick={() => onPage(Number(page))}>
            {page}
          </button>
        ))}
        {pages.length > MOST && <span class="faint"> and {(pages.length - MOST).toLocaleString('en')} more</span>}
      </p>
    </details>
  )
}
