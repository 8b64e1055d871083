/** Whoever judges or collects lives beside the ledger: the conformance to the model, the exports, the comparison of two traces. */
import type { Finding } from './finding.ts'
import type { Rejection } from './held-conformance.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { Letters } from './letters.ts'
import type { DevicePage, DeviceType, LifeListener } from './life.ts'
import type { EventBatch } from './page-event.ts'
import type { ReferenceListener } from './reference-listener.ts'
import type { Sites } from './sites.ts'
import type { TraceHead, TraceTables } from './source.ts'

/** What a check against the model amounted to. */
export interface Conformance {
  /** Device pages whose lives were held to the model; of them those it allows, those it forbids, and those of which nothing can be said. */
  readonly pages: number
  readonly conforming: number
  readonly rejected: number
  /** Where rejected lives leave the model; of very many only the first. */
  readonly rejections: readonly Rejection[]
  readonly unknown: number
  /** Events whose stack maps to no modelled function. */
  readonly unmapped: number
  /** The call sites of those, the most frequent first. */
  readonly unmappedSites: readonly { readonly stack: readonly string[]; readonly events: number }[]
}

export interface LifeJudge extends LifeListener {
  /**
   * Called once, before the first run. `certain` tells whether a page is a device's as far as that is settled; undefined: it is not yet, and pages are
   * told all the same. `pages`: by their index, as they come.
   */
  begin?(
    head: TraceHead,
    rules: KernelRules | undefined,
    typeOf: (page: DevicePage) => DeviceType,
    certain: (page: DevicePage) => boolean | undefined,
    pages: readonly DevicePage[],
  ): void
  /** Called before the runs of a batch: stacks and sites of its rows can be asked from here on, and its letters while it is told. */
  use?(tables: TraceTables, letters: Letters): void
  /** The events of a batch as they were recorded, of all pages, before they are told page by page. */
  see?(batch: EventBatch): void
  /** The runs that follow, up to the next batch, are of rows that were carried over: all of them were seen before. */
  rest?(): void
  /** Awaited behind `end`, where there is one: it works in another thread. */
  answered?(): Promise<void>
  /** What it found; asked after `end`. `device` tells whether a page is a device's after all (pages are told before that is certain). */
  findings?(device: (page: { readonly index: number; readonly pfn: number }) => boolean): readonly Finding[]
  conformance?(device: (page: { readonly index: number; readonly pfn: number }) => boolean): Conformance | undefined
}

/** Who makes something of each reference: an export. */
export interface ReferenceSink extends ReferenceListener {
  /** Called once, before the first reference. `certain` as for judges. */
  begin(sites: Sites, certain: (page: DevicePage) => boolean | undefined): void
  use(tables: TraceTables): void
  end(device: (page: { readonly index: number; readonly pfn: number }) => boolean): void
}
