/** The lives of a trace held to the model of its kernel. */
import type { RoleBook } from '../roles/book.ts'
import type { Finding } from './finding.ts'
import { conformanceOf, rejectionsOf } from './held-conformance.ts'
import { HeldLives, type HeldResult, type LifeRows } from './held-lives.ts'
import type { Conformance, LifeJudge } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { Letters } from './letters.ts'
import type { BreakReason, DevicePage, DeviceType } from './life.ts'
import { notInModel } from './not-in-model.ts'
import type { SiteFrames, TraceHead, TraceTables } from './source.ts'

/** Who holds lives to the model: `HeldLives`, or what stands for one in another thread. */
export interface Lives {
  use(sites: SiteFrames, letters: Letters): void
  see(batch: LifeRows): void
  /** Where rows are kept: what follows is of other rows than those seen last. */
  rest?(): void
  run(index: number, type: DeviceType, batch: LifeRows, rows: Uint32Array, from: number, to: number): void
  broken(index: number, why: BreakReason): void
  end(): void
  /** Awaited behind `end`, where there is one. */
  answered?(): Promise<void>
  result(): HeldResult
}

export class HeldToModel implements LifeJudge {
  private readonly bookOf: (kernel: string) => RoleBook | undefined
  private readonly livesOf: (book: RoleBook, release: string | undefined) => Lives
  private kernel = ''
  private lives: Lives | undefined
  private typeOf: (page: DevicePage) => DeviceType = () => 'unknown'
  private tables: TraceTables | undefined
  private pages: readonly DevicePage[] = []

  /** `bookOf`: the model's book of a preset; undefined where there is none. `livesOf`: who holds lives to it; default: this thread. */
  constructor(
    bookOf: (kernel: string) => RoleBook | undefined,
    livesOf: (book: RoleBook, release: string | undefined) => Lives = (book, release) => new HeldLives(book, release),
  ) {
    this.bookOf = bookOf
    this.livesOf = livesOf
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
    this.lives = this.livesOf(book, head.release)
  }

  use(tables: TraceTables, letters: Letters): void {
    this.tables = tables
    this.lives?.use(tables, letters)
  }

  see(batch: LifeRows): void {
    this.lives?.see(batch)
  }

  rest(): void {
    this.lives?.rest?.()
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

  async answered(): Promise<void> {
    await this.lives?.answered?.()
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
