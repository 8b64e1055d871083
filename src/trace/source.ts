/** What a reader gives: what the file says of itself, its events in batches, and the tables that events point into. */
import type { EventBatch } from './page-event.ts'

/** The formats that are recognised, by content. */
export type TraceFormat = 'trace.dat v6' | 'trace.dat v7' | 'trace-cmd report text' | 'tracefs text' | 'perf script text'

/** What a trace says of itself before its events. */
export interface TraceHead {
  readonly format: TraceFormat
  /** `uname -a`-like text if the file has it: `Linux (none) 6.1.192 ... x86_64`. */
  readonly uname: string | undefined
  /** The release in it: `6.1.192`. */
  readonly release: string | undefined
  /** The trace clock's name, if known: `global`, `local`, `mono`, ... */
  readonly clock: string | undefined
  /** Whether time stamps of different CPUs can be compared: false for `local`; undefined where nothing tells. */
  readonly comparable: boolean | undefined
  /** Buffers of a trace.dat: '' is the top one. Text has one. */
  readonly instances: readonly string[]
  /** The one that is read. */
  readonly instance: string
}

/** One frame of a kernel stack. */
export interface Frame {
  /** The function's name as the kernel has it (with `.constprop.0` and the like); `0x...` if it has no symbol. */
  readonly name: string
  /** The address, if recorded; 0n otherwise. */
  readonly address: bigint
  /** The module, if known. */
  readonly module: string | undefined
}

/** The functions of sites. */
export interface SiteFrames {
  /** Function names of a site, innermost first, compiler suffixes (`.constprop.0`, `.isra.1`, `.part.0`, `.cold`) taken off. */
  siteFrames(site: number): readonly string[]
}

/**
 * Tables that grow while the events are read; ids never change their meaning.
 *
 * Two stacks whose frames have the same function names are one *site*: different addresses in one function are not different call sites.
 * The frames of what an interrupt interrupted are no part of a site: it ends with the interrupt's or the softirq's entry.
 */
export interface TraceTables extends SiteFrames {
  /** Frames of a stack, innermost first, without the tracing's own (`__page_ref_mod` and the like). Empty for 0. */
  stack(id: number): readonly Frame[]
  /** How many stack ids there are: all below it are valid. */
  readonly stacks: number
  /** The site of a stack; 0 for stack 0. Sites count up from 1 in order of first use. */
  site(stack: number): number
  /** A task's name; undefined if the recorder did not save it. */
  comm(pid: number): string | undefined
}

/** Events that are not in the file, though they happened. */
export interface Loss {
  readonly cpu: number
  /** No event of this CPU between these is complete: nanoseconds; -Infinity, Infinity where the file does not say. */
  readonly after: number
  readonly before: number
  /** How many, if the file says. */
  readonly events: number | undefined
}

/** Records of a CPU that the kernel counted, and that are not in the file, though nothing in it says that they were lost. */
export interface AbsentRecords {
  readonly cpu: number
  readonly absent: number
  /** All that the kernel counted. */
  readonly counted: number
}

/** What the file ended with. */
export type TraceEnd =
  | { readonly complete: true }
  /** As far as it reads: `why` is a clause to stand after "ends early": `at byte 40960: the chunk is cut off`. */
  | { readonly complete: false; readonly why: string }

/** A device range as an event of the trace itself tells it: a kprobe on memremap_pages or memunmap_pages. */
export interface RangeEvent {
  readonly time: number
  readonly kind: 'map' | 'unmap'
  /** The dev_pagemap's address; unmap has nothing else. */
  readonly pgmap: bigint
  /** Page frame numbers, inclusive; undefined for unmap. */
  readonly start: number | undefined
  readonly end: number | undefined
  /** The kernel's number of the type: its meaning differs by kernel. */
  readonly type: number | undefined
}

/** What a pass over a trace hears. Calls come in the order of the merged trace. */
export interface TraceListener {
  /** Called once, before anything else. */
  head?(head: TraceHead): void
  events(batch: EventBatch, tables: TraceTables): void
  range?(event: RangeEvent): void
  lost?(loss: Loss): void
  /** Zones (`Zones.key` of an event) whose events need not be told any more, as far as is known now: a reader may leave them out. */
  dropZones?(): readonly number[]
  /** 0..1 where the size is known. */
  progress?(done: number, events: number): void
}

/** What a whole pass amounted to. */
export interface TraceSummary {
  readonly head: TraceHead
  readonly tables: TraceTables
  readonly end: TraceEnd
  /** page_ref events read. */
  readonly events: number
  /** Other records (stacks included) that were passed over or joined. */
  readonly records: number
  /** Events known to be lost; `lossUnknown` if some loss has no number. */
  readonly lost: number
  readonly lossUnknown: boolean
  /** By CPU. A recorder may leave out the last, half-filled page of each (trace-cmd 3.1.6 does). */
  readonly absent: readonly AbsentRecords[]
  /** First and last time stamp of any record, and the end of the recording if the file tells it. Nanoseconds. */
  readonly firstTime: number
  readonly lastTime: number
  readonly stopTime: number | undefined
  /** From here on records of some CPU are missing at its end (see `absent`), though others go on; `lastTime` if none are. */
  readonly knownUntil: number
}
