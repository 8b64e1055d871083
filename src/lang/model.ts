/**
 * `putpage/model`: the words a model is written in. A model is ordinary TypeScript; nothing of it is ever run: putpage
 * parses it, restricts it and compiles it to a transition system. What each word means is said here once.
 *
 * State lives in *structures*: classes whose fields have initial values.
 *
 *     export class Page {
 *       _refcount: Int<-2, 61> = 0            // an integer with its range; leaving it is a finding
 *       pgmap: DevPagemap | null = null       // a reference to an object of a pool
 *       lock = new PageLock()                 // a structure inside: `new` as the initial value
 *       slots: FixedArray<Entry, 2> = array(2, 'none')
 *     }
 *
 * Objects are module-level constants: `const page = struct(Page, { _refcount: 1 })`.
 *
 * Every read and write of a field is one step, at which any other thread may come in between; so is every `atomic`.
 */

// ---- types of values -------------------------------------------------------------------------------------------------

/** An integer from Lo to Hi, inclusive. Storing another value is a finding (`range`). */
export type Int<_Lo extends number, _Hi extends number> = number
/** A page's count from Lo to Hi: references + Bias · pins, shown with the kernel's bias of 1024. */
export type Count<_Lo extends number, _Hi extends number, _Bias extends number> = number
/** Only accessed while the lock at `Path` (a field beside it, or `field.field`) is held; elsewhere, unless marked, it is a data race. */
export type Guarded<T, _Path extends string> = T
/** Exists for properties and reports only; the model never reads it, and touching it is no step. */
export type Ghost<T> = T
/** Exactly N elements, indexed from 0 to N - 1. */
export type FixedArray<T, _N extends number> = T[]
/** One element a thread, indexed by `me()` or a `Thread`. */
export interface PerThread<T> {
  [thread: number]: T
}
/** One element for each member of a union of strings. */
export type Each<Member extends string, T> = Record<Member, T>
/** Several values in one machine word: read, written and compared in one access. */
export type Word<T> = Readonly<T>
/** A thread of the scenario. */
export type Thread = number & { readonly [thread]: true }

declare const thread: unique symbol

// ---- objects ---------------------------------------------------------------------------------------------------------

/** One object of a structure, named by the constant it is assigned to. */
export declare function struct<T extends object>(type: new () => T, init?: Partial<T>): T
/** N objects of a structure. */
export declare function structs<T extends object, N extends number>(type: new () => T, n: N, init?: Partial<T>): FixedArray<T, N>
/** Initial value of a `FixedArray` field; `new X()` gives N structures inside. */
export declare function array<T, N extends number>(n: N, initial: T): FixedArray<T, N>
/** Initial value of a `PerThread` field. */
export declare function perThread<T>(initial: T): PerThread<T>
/** Initial value of an `Each` field. */
export declare function each<Member extends string, T>(initial: T): Each<Member, T>

// ---- steps -----------------------------------------------------------------------------------------------------------

/** Everything in `body` is one step. For operations the hardware or a lock primitive makes atomic. */
export declare function atomic<T>(body: () => T): T
/** A step of its own that touches nothing. */
export declare function step(): void
/**
 * Waits until `condition` holds; the wait and `then` (if any) are one step. `on` gives the thread that has to move first;
 * `until` what a sleeper on a wait queue waits for: a hang while it holds is a lost wake.
 */
export declare function block_until(
  condition: () => boolean,
  info?: { readonly then?: () => void; readonly on?: () => Thread | null; readonly until?: () => boolean; readonly what?: string },
): void
/** Any of 0 .. n - 1. The choice is made in the step that follows. */
export declare function choose(n: number): number
/** True where the kernel's operation may fail; at most once a site and run. */
export declare function may_fail(): boolean
/** Number of threads of the scenario: a constant. */
export declare function nr_threads(): number
/** The thread that executes. */
export declare function me(): Thread

// ---- marks -----------------------------------------------------------------------------------------------------------

/** A lockless read, as the kernel marks it, or where its source says that it is one. */
export declare function READ_ONCE<T>(value: T): T
/** A lockless write. */
export declare function WRITE_ONCE<T>(place: T, value: T): void
/** A race the kernel knows of and accepts. */
export declare function data_race<T>(value: T): T
/** True if both words hold the same values. */
export declare function same<T>(a: T, b: T): boolean
/** True if no element is true; in one step, or inside a condition. */
export declare function none(flags: PerThread<boolean>): boolean
/** A memory barrier: nothing under sequential consistency; kept for the list of places that rely on one. */
export declare function barrier(why: string): void

// ---- checks ----------------------------------------------------------------------------------------------------------

/** The kernel's WARN_ON: a finding when true; the kernel goes on. Gives the condition. `what` is the kernel's own text, `means` says what has gone wrong. */
export declare function WARN_ON(condition: boolean, what?: string, means?: string): boolean
/** As WARN_ON; reported once anyway. */
export declare function WARN_ON_ONCE(condition: boolean, what?: string, means?: string): boolean
/** The kernel stops: the path ends. */
export declare function BUG_ON(condition: boolean, what?: string, means?: string): void
/** CONFIG_DEBUG_VM's BUG: a finding; the path goes on as in a kernel without it. */
export declare function VM_BUG_ON(condition: boolean, what?: string, means?: string): void
/** CONFIG_DEBUG_VM's WARN. */
export declare function VM_WARN_ON(condition: boolean, what?: string, means?: string): boolean
/** The object's memory is gone: any later access is a use after free. */
export declare function retire(object: object): void
/** The object's memory is in use again. */
export declare function revive(object: object): void
/** Bookkeeping of ghost state: no step. */
export declare function ghost(body: () => void): void
/** In the primitive that gives a lock back: the thread must hold it, as lockdep demands; else a finding of kind `race`. */
export declare function held(holds: boolean, what: string): void
/** A finding of kind `ledger` when false. */
export declare function ledger(holds: boolean, what: string): void
/** A property in the middle of a model: a finding of kind `always` when false. */
export declare function expect(holds: boolean, what: string): void

// ---- kernels and changes ---------------------------------------------------------------------------------------------

/** What a switch of the model is: a fix that landed, or a change that was proposed. */
export interface Switch {
  /** The upstream commit, if it landed. */
  readonly commit?: string
  readonly subject: string
  /** Which mainline release has it first. */
  readonly since?: string
  /** What it does to counts and locks. */
  readonly effect: string
}

/** Declares the switches of the model; each is read as `change.name`. */
export declare function switches<T extends Record<string, Switch>>(declared: T): { readonly [K in keyof T]: boolean }
/** Declares the kernels: each a set of switches. */
export declare function kernels<S>(of: S, presets: Record<string, { readonly about: string; readonly has: readonly (keyof S & string)[] }>): void

/** What a check's id begins with, as `putpage check --json` prints it: `lost-wake`, `warn:try_get_page:`. */
export type CheckId = string

/** A bug of real kernels, and how to tell that the model has it. Scenarios name it in `shows`. */
export interface KnownBug<S extends string = string> {
  /** What goes wrong, in a sentence. */
  readonly about: string
  /** The checks that are the bug, in every scenario that shows it: one of them fails where the bug is, all pass where it is not. */
  readonly checks: readonly CheckId[]
  /** Scenarios in which other checks are the bug. */
  readonly in?: Readonly<Record<string, readonly CheckId[]>>
  /** The fixes: taken out of a kernel that has it, each brings the bug back. None: no fix is known. */
  readonly fixes: readonly Repair<S>[]
  /** Kernels in which the bug cannot be, and why: the code or the feature is not there. */
  readonly not_applicable?: Readonly<Record<string, string>>
}

export interface Repair<S extends string = string> {
  readonly without: S
  /** The checks that fail without it, where the bug shows in another way than it did. */
  readonly checks?: readonly CheckId[]
  /** And why it does. */
  readonly why?: string
}

/** Declares the known bugs by their ids. */
export declare function known_bugs<S>(of: S, declared: Readonly<Record<string, KnownBug<keyof S & string>>>): void

/** Some of what a change does, which can land by itself. */
export interface ProposalPart<S extends string = string> {
  /** What it does to counts and locks; absent where the whole change is one part. */
  readonly about?: string
  /** The switches it turns on. */
  readonly switches: readonly S[]
  /** Other ways to cut it: the switches it then turns on, by the cut's name. */
  readonly cuts?: Readonly<Record<string, readonly S[]>>
  /** How Linux did it in the end: the place in that order, and the first release that has it. Absent: not landed. */
  readonly landed?: { readonly place: number; readonly since: string; readonly commits: readonly string[]; readonly how?: string }
}

/** A change that somebody wants to land: the file's name is its name. */
export interface Proposal<S extends string = string> {
  readonly title: string
  /** Who proposed it, and where. */
  readonly proposed_by: string
  /** What it does to counts and locks. */
  readonly about: string
  /** What has to be there for it to be right, as far as its authors knew. */
  readonly leans_on: string
  /** Among the nine changes of the mail, or its own patches: `putpage order` orders these. */
  readonly of_the_mail?: boolean
  /** One part, named as the change, or several that can land apart. */
  readonly parts: Readonly<Record<string, ProposalPart<S>>>
}

/** Declares the file's change, as switches of the model. */
export declare function proposal<S>(of: S, declared: Proposal<keyof S & string>): void

// ---- scenarios -------------------------------------------------------------------------------------------------------

export interface Scenario {
  /** What situation it is, in a sentence. */
  readonly about: string
  /** What bounds it, in words: `2 threads, 1 page, one pin`. */
  readonly bounds: string
  /** The kernels it makes sense on (default all), and why not the others. */
  readonly kernels?: readonly string[]
  /** Switches without which there is no such situation. With them it makes sense on any kernel, whatever `kernels` says. */
  readonly needs?: readonly string[]
  /** Too large for the default run: only with --deep or by name. */
  readonly deep?: boolean
  /** Known bugs it shows. */
  readonly shows?: readonly string[]
  /** Runs once, alone, before the threads; makes the state the story begins in. */
  readonly setup?: () => void
  readonly threads: Readonly<Record<string, (() => void) | Identical>>
  /** Hold in every state. */
  readonly always?: Readonly<Record<string, () => boolean>>
  /** Hold when all threads have ended. */
  readonly finally?: Readonly<Record<string, () => boolean>>
  /** Hold at least once on every path that goes on as far as it can. */
  readonly eventually?: Readonly<Record<string, () => boolean>>
  /** What the scenario is about really happens, in some state. */
  readonly sometimes: Readonly<Record<string, () => boolean>>
  /** A `sometimes` some kernels cannot reach, with the reason: `{ 'a pin was held': { 'v5.10': 'why' } }`. */
  readonly unreachable?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Identical {
  readonly [identicalThreads]: number
}
declare const identicalThreads: unique symbol

/** N threads that run the same code. */
export declare function identical(n: number, body: () => void): Identical
/** Declares the file's scenario; its name is the file's. */
export declare function scenario(declared: Scenario): Scenario
