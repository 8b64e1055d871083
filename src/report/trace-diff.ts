/** Two recordings side by side, for a person and for programs: format putpage-trace-diff/1 of docs/formats.md. */
import type { AuditResult } from '../trace/audit.ts'
import type { LivesLinedUp } from '../trace/life-diff.ts'
import type { LifeShape, LifeStep, LivesOfTrace } from '../trace/life-shapes.ts'
import { palette } from './palette.ts'
import { grouped, plural } from './wrap.ts'

/** One side. */
export interface DiffSide {
  readonly file: string
  readonly result: AuditResult
  readonly lives: LivesOfTrace
}

/** Pairs of shapes that are printed in full, and steps of each. */
const MOST = 12
const STEPS = 40

export function renderDiff(
  sides: readonly [DiffSide, DiffSide],
  all: readonly LivesLinedUp[],
  options: { readonly colour: boolean; readonly width: number },
): string {
  const paint = palette(options.colour)
  const [a, b] = sides
  const lined = sum(all.filter((one) => one.a && one.b))
  const same = sum(all.filter((one) => one.a && one.b && one.same))
  const lines = [
    paint.good(
      `${livesOf(lined)} lined up, ${same} of them step by step by the same functions; ${sum(all.filter((one) => !one.b))} only in a, ${sum(all.filter((one) => !one.a))} only in b`,
    ),
    '',
    ...sides.map((side, i) => `${'ab'[i]}  ${about(side)}`),
  ]
  const half = Math.floor((options.width - 7) / 2)
  for (const one of all.slice(0, MOST)) {
    const where = one.a && one.b ? '' : one.a ? ', only in a' : ', only in b'
    lines.push('', paint.name(`${livesOf(one.lives)} of ${one.type} pages${where}${one.same && one.a && one.b ? ', the same functions' : ''}`))
    if (one.a && one.b) lines.push(paint.faint(`  ${`a  ${kernelOf(a)}`.padEnd(half)}   b  ${kernelOf(b)}`))
    for (const [i, j] of one.pairs.slice(0, STEPS)) {
      const left = i === undefined ? undefined : one.a?.steps[i]
      const right = j === undefined ? undefined : one.b?.steps[j]
      if (!one.a || !one.b) {
        lines.push(`  ${stepText((left ?? right) as LifeStep)}`)
        continue
      }
      const mark = left && right ? (left.function === right.function ? '=' : '~') : left ? '<' : '>'
      const line = `  ${fit(left ? stepText(left) : '', half)} ${mark} ${right ? fit(stepText(right), half).trimEnd() : ''}`.trimEnd()
      lines.push(mark === '=' ? line : paint.doubtful(line))
    }
    if (one.pairs.length > STEPS) lines.push(paint.faint(`  ... ${plural(one.pairs.length - STEPS, 'step')} more`))
    const open = [one.a?.open ? 'a' : '', one.b?.open ? 'b' : ''].filter((side) => side !== '')
    if (open.length > 0) lines.push(paint.faint(`  goes on behind the last step in ${open.join(' and ')}`))
  }
  if (all.length > MOST) lines.push('', `and ${plural(all.length - MOST, 'pair')} of shapes more (--json has all)`)
  lines.push('', paint.faint('= the same function   ~ another for the same   < only in a   > only in b'))
  return `${lines.join('\n')}\n`
}

function livesOf(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'life' : 'lives'}`
}

function sum(all: readonly LivesLinedUp[]): number {
  return all.reduce((lives, one) => lives + one.lives, 0)
}

function about({ file, result, lives }: DiffSide): string {
  const free = [...new Set(result.ranges.filter(({ pages }) => pages > 0).map(({ type, freeAt }) => `${type} free at ${freeAt}`))]
  const errors = result.findings.filter(({ severity }) => severity === 'error').length
  const end = result.summary.end.complete ? '' : `, ends early ${result.summary.end.why}`
  return `${file}: Linux ${result.summary.head.release ?? '?'}, ${livesOf(lives.lives.length)} on ${plural(lives.pages, 'page')}, ${free.join(', ')}; ${errors === 0 ? 'no error found' : plural(errors, 'error')}${end}`
}

function kernelOf({ result }: DiffSide): string {
  return result.summary.head.release ?? result.kernel ?? ''
}

/** `+1  2  remove_migration_pte  (page-table entry)` */
function stepText({ delta, after, function: name, class: what }: LifeStep): string {
  const change = delta === undefined ? 'set' : delta > 0 ? `+${delta}` : `${delta}`
  return `${change.padStart(5)} ${(Number.isNaN(after) ? '?' : String(after)).padStart(4)}  ${name}${what ? `  (${what})` : ''}`
}

function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`
}

/** The object `putpage trace a b --diff --json` prints. */
export function diffJson(sides: readonly [DiffSide, DiffSide], all: readonly LivesLinedUp[]): unknown {
  const steps = (shape: LifeShape | undefined): unknown =>
    shape
      ? {
          open: shape.open,
          steps: shape.steps.map(({ delta, after, function: name, class: what }) => ({
            delta: delta ?? null,
            after: Number.isNaN(after) ? null : after,
            function: name,
            class: what ?? null,
          })),
        }
      : null
  const [a, b] = sides.map(({ file, result, lives }) => ({
    file,
    release: result.summary.head.release ?? null,
    kernel: result.kernel ?? null,
    lives: lives.lives.length,
    pages: lives.pages,
    endsEarly: result.summary.end.complete ? null : result.summary.end.why,
  }))
  return {
    format: 'putpage-trace-diff/1',
    a,
    b,
    groups: all.map((one) => ({
      type: one.type,
      lives: one.lives,
      same: one.same,
      a: steps(one.a),
      b: steps(one.b),
      rows: one.pairs.map(([i, j]) => [i ?? null, j ?? null]),
    })),
  }
}
