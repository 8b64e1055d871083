/** The lives of a trace held to the model of its kernel, in this thread. */
import type { RoleBook } from '../roles/book.ts'
import type { Finding } from './finding.ts'
import { conformanceOf, rejectionsOf } from './held-conformance.ts'
import { HeldLives, type LifeRows } from './held-lives.ts'
import type { Conformance, LifeJudge } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { Letters } from './letters.ts'
import type { BreakReason, DevicePage, DeviceType } from './life.ts'
import { notInModel } from './not-in-model.ts'
import type { TraceHead, TraceTables } from './source.ts'

export class HeldToModel implements LifeJudge {
  private readonly bookOf: (kernel: string) => RoleBook | undefined
  private kernel = ''
  private lives: HeldLives | undefined
  private typeOf: (page: DevicePage) => DeviceType = () => 'unknown'
  private tables: TraceTables | undefined
  private pages: readonly DevicePage[] = []

  /** `bookOf`: the model's book of a preset; undefined where there is none. */
  constructor(bookOf: (kernel: string) => RoleBook | undefined) {
    this.bookOf = bookOf
  }

  begin(
    head: TraceHead,
    rules: KernelRules | undefined,
    typeOf: (page: DevicePage) => DeviceType,
    _certain: (page: DevicePage) => boolean | undefined,
    pages: readonly DevicePage[],
  ): void {
    this.pages = pages
    this.typeOf = typeOf
    const book = rules && this.bookOf(rules.kernel)
    if (!book) return
    this.kernel = book.kernel
    this.lives = new HeldLives(book, head.release)
  }

  use(tables: TraceTables, letters: Letters): void {
    this.tables = tables
    this.lives?.use(tables, letters)
  }

  see(batch: LifeRows): void {
    this.lives?.see(batch)
  }

  run(page: DevicePage, batch: LifeRows, rows: Uint32Array, from: number, to: number): void {
    this.lives?.run(page.index, this.typeOf(page), batch, rows, from, to)
  }

  broken(page: DevicePage, why: BreakReason): void {
    this.lives?.broken(page.index, why)
  }

  end(): void {
    this.lives?.end()
  }

  findings(device: (page: { readonly index: number; readonly pfn: number }) => boolean): readonly Finding[] {
    const { lives, tables, pages } = this
    if (!lives || !tables) return []
    const rejections = rejectionsOf(lives.result(), pages).filter(({ page }) => device(page))
    return notInModel(rejections, this.kernel, tables)
  }

  conformance(device: (page: { readonly index: number; readonly pfn: number }) => boolean): Conformance | undefined {
    const { lives, tables, pages } = this
    return lives && tables ? conformanceOf(lives.result(), pages, device, tables) : undefined
  }
}
