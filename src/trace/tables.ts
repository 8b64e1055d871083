/** The tables events point into: stacks, call sites, task names. */
import type { Frame, TraceTables } from './source.ts'
import { hashWords, StackStore } from './stack-store.ts'
import { Symbols } from './symbols.ts'

/** The tracing's own frames, which say nothing of the caller. */
const TRACING = /^(__page_ref_|trace_event_|__traceiter_|perf_trace_|ftrace_|__ftrace_|stack_trace_save|arch_stack_walk)/
/** What compilers append to the names of functions they cloned. */
const SUFFIX = /\.(constprop|isra|part|cold|lto_priv|llvm|localalias|__uniq|cfi|cfi_jt)(\.\d+)*(?=\.|$)/g

/** Where an interrupt or a softirq began: what is outside of it is whatever was interrupted, and no part of the call site. */
const INTERRUPT =
  /^(handle_softirqs|__do_softirq|__softirqentry_text_start|irq_exit|irq_exit_rcu|run_ksoftirqd|asm_sysvec_|sysvec_|asm_common_interrupt|common_interrupt|do_IRQ|el[01]_irq|asm_exc_nmi|handle_irq_event)/

/** The name as in the source: without the compiler's suffixes. */
export function plainName(name: string): string {
  return name.includes('.') ? name.replace(SUFFIX, '') : name
}

/** The function that reports the change: what is inside of it is tracing, whatever it is called. */
const REPORTS = /^__page_ref_(set|mod|mod_and_test|mod_and_return|mod_unless|freeze|unfreeze)$/
/** It is not deeper than that. */
const DEEPEST = 12

/** Takes the tracing's own frames off the inner end. */
export function callerFrames(frames: readonly Frame[]): readonly Frame[] {
  let from = frames.slice(0, DEEPEST).findLastIndex(({ name }) => REPORTS.test(name)) + 1
  while (from < frames.length && TRACING.test(frames[from].name)) from++
  return from === 0 ? frames : frames.slice(from)
}

/** Stacks by number, whatever they came as; sites are stacks whose functions agree. */
export abstract class Tables implements TraceTables {
  private readonly sites: number[] = [0]
  private readonly siteIds = new Map<string, number>()
  private readonly frames: (readonly string[])[] = [[]]
  readonly comms = new Map<number, string>()

  abstract stack(id: number): readonly Frame[]
  abstract readonly stacks: number

  site(stack: number): number {
    return this.sites[stack] ?? this.newSite(stack)
  }

  private newSite(stack: number): number {
    let names = this.stack(stack).map((frame) => plainName(frame.name))
    const entry = names.findIndex((name, i) => i > 0 && INTERRUPT.test(name))
    if (entry > 0) names = names.slice(0, entry + 1)
    const text = names.join(' ')
    let site = this.siteIds.get(text)
    if (site === undefined) {
      site = this.frames.length
      this.frames.push(names)
      this.siteIds.set(text, site)
    }
    this.sites[stack] = site
    return site
  }

  siteFrames(site: number): readonly string[] {
    return this.frames[site] ?? []
  }

  comm(pid: number): string | undefined {
    return pid === 0 ? '<idle>' : this.comms.get(pid)
  }
}

/** Tables of a binary trace: stacks are addresses, named by kallsyms when they are asked for. */
export class AddressTables extends Tables {
  private readonly store = new StackStore()
  private readonly kallsyms: Uint8Array
  private symbols: Symbols | undefined
  /** Names for what the file's own symbols do not cover. */
  private readonly others: Symbols | undefined
  private readonly named: (readonly Frame[] | undefined)[] = [[]]

  constructor(kallsyms: Uint8Array, others?: Symbols) {
    super()
    this.kallsyms = kallsyms
    this.others = others
  }

  get stacks(): number {
    return this.store.size + 1
  }

  /** Numbers the stacks of a parser on; `map` grows by their ids here. */
  adopt(stacks: { readonly lengths: Uint32Array; readonly words: Uint32Array }, map: number[]): void {
    let at = 0
    for (const length of stacks.lengths) {
      const words = stacks.words.subarray(at, at + length)
      map.push(this.store.intern(words, 0, length, hashWords(words, length)))
      at += length
    }
  }

  /** Reads the symbols now; else they are read when the first stack is asked for. */
  readSymbols(): void {
    this.symbols ??= new Symbols(this.kallsyms)
  }

  override stack(id: number): readonly Frame[] {
    return this.named[id] ?? this.name(id)
  }

  private name(id: number): readonly Frame[] {
    if (id <= 0 || id > this.store.size) return []
    this.symbols ??= new Symbols(this.kallsyms)
    const words = this.store.wordsOf(id)
    const frames: Frame[] = []
    for (let i = 0; i < words.length; i += 2) frames.push(this.symbols.frame(words[i], words[i + 1]))
    const { others } = this
    const named = callerFrames(others ? frames.map((frame) => others.named(frame)) : frames)
    this.named[id] = named
    return named
  }
}

/** Tables of a text: stacks are lists of frames. */
export class TextTables extends Tables {
  private readonly all: (readonly Frame[])[] = [[]]
  private readonly ids = new Map<string, number>()

  get stacks(): number {
    return this.all.length
  }

  override stack(id: number): readonly Frame[] {
    return this.all[id] ?? []
  }

  /** The id of a stack given as text; `parse` is called when it is new. */
  intern(text: string, parse: () => readonly Frame[]): number {
    const known = this.ids.get(text)
    if (known !== undefined) return known
    const id = this.all.length
    this.all.push(callerFrames(parse()))
    this.ids.set(text, id)
    return id
  }
}
