/** What a search has found so far: for each check the first level at which it failed. */
import type { Program } from '../ir/program.ts'
import { classifyHang, HANG_KINDS, type HangKind } from './hang.ts'
import { unpack } from './layout.ts'
import type { Runner } from './runner.ts'

export class Findings {
  /** By check: the first level whose states, or the transitions out of them, fail it. */
  readonly failedAt: (number | undefined)[]
  readonly reached: boolean[]
  private readonly program: Program
  private readonly hangCheck: ReadonlyMap<HangKind, number>
  private hangs = new Set<HangKind>()

  constructor(program: Program) {
    this.program = program
    this.failedAt = program.checks.map(() => undefined)
    this.reached = program.properties.sometimes.map(() => false)
    this.hangCheck = new Map(HANG_KINDS.map((kind) => [kind, program.checks.findIndex((check) => check.kind === kind)]))
  }

  /** After each batch: tells the kinds of its hung states apart, as long as some kind was never seen. */
  noteHangs(runner: Runner): void {
    const { layout, memory } = runner
    for (let i = 0; i < runner.hungCount; i++) {
      if (this.hangs.size === HANG_KINDS.length) return
      this.hangs.add(classifyHang(this.program, layout.shape, unpack(layout, memory, runner.hungAt(i))))
    }
  }

  /** After each level: takes over what the generated code noted. */
  closeLevel(level: number, runner: Runner): void {
    const flags = this.flags(runner)
    const checks = this.failedAt.length
    for (let c = 0; c < checks; c++) if (flags[c] !== 0) this.failedAt[c] ??= level
    for (let s = 0; s < this.reached.length; s++) if (flags[checks + s] !== 0) this.reached[s] = true
  }

  /** What was found so far, as one word a check and one a `sometimes`: to be merged between workers. */
  flags(runner: Runner): Uint8Array {
    const { checks, properties } = this.program
    const flags = new Uint8Array(checks.length + properties.sometimes.length)
    for (let c = 0; c < checks.length; c++) flags[c] = Number(runner.violated(c))
    for (const kind of this.hangs) {
      const check = this.hangCheck.get(kind) ?? -1
      if (check >= 0) flags[check] = 1
    }
    for (let s = 0; s < properties.sometimes.length; s++) flags[checks.length + s] = Number(runner.reached(s))
    return flags
  }

  /** Takes over what workers have found together. */
  take(failedAt: readonly (number | undefined)[], flags: Uint8Array): void {
    failedAt.forEach((level, check) => {
      this.failedAt[check] = level
    })
    for (let s = 0; s < this.reached.length; s++) this.reached[s] = flags[failedAt.length + s] !== 0
  }

  /** A check of kind `race` has failed. */
  get raced(): boolean {
    return this.program.checks.some((check, c) => check.kind === 'race' && this.failedAt[c] !== undefined)
  }
}
