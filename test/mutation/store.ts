/** What earlier runs found out, on disk: verdicts by program, which mean the same as long as the engine does, and outcomes of mutants. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../src/cli/files.ts'
import type { Baseline, Outcome } from './laboratory.ts'
import type { QuickVerdict } from './quick-verdict.ts'

type Packed = Omit<Baseline, 'statements' | 'setUp'> & { readonly statements: readonly number[]; readonly setUp: readonly number[] }

interface Stored {
  /** Hash of the engine that found the verdicts. */
  readonly engine: string
  readonly verdicts: readonly (readonly [string, QuickVerdict])[]
  /** Hash of everything that outcomes depend on. */
  readonly content: string
  readonly outcomes: readonly (readonly [string, Outcome])[]
  /** The keys of all statements; baselines name them by their place here. */
  readonly statements: readonly string[]
  readonly baselines: readonly Packed[]
  /** By mutant, whatever has changed since: what killed it last. */
  readonly killers: readonly (readonly [string, string])[]
}

export class ResultStore {
  readonly verdicts: Map<string, QuickVerdict>
  readonly outcomes: Map<string, Outcome>
  /** Empty unless all were made. */
  baselines: readonly Baseline[]
  readonly killers: Map<string, string>
  private readonly engine: string
  private readonly content: string
  private readonly path = join(packageRoot(), 'build', 'mutation', 'results.json')

  constructor(engine: string, content: string) {
    this.engine = engine
    this.content = content
    const stored = read(this.path)
    this.verdicts = new Map(stored?.engine === engine ? stored.verdicts : [])
    this.outcomes = new Map(stored?.content === content ? stored.outcomes : [])
    const { statements, baselines } = stored?.content === content ? stored : { statements: [], baselines: [] }
    const unpack = (places: readonly number[]): string[] => places.map((place) => statements[place])
    this.baselines = baselines.map((one) => ({ ...one, statements: unpack(one.statements), setUp: unpack(one.setUp) }))
    this.killers = new Map(stored?.killers ?? [])
  }

  save(): void {
    const places = new Map<string, number>()
    const pack = (keys: readonly string[]): number[] =>
      keys.map((key) => {
        const place = places.get(key) ?? places.size
        places.set(key, place)
        return place
      })
    const baselines = this.baselines.map((one) => ({ ...one, statements: pack(one.statements), setUp: pack(one.setUp) }))
    const stored: Stored = {
      engine: this.engine,
      verdicts: [...this.verdicts],
      content: this.content,
      outcomes: [...this.outcomes],
      statements: [...places.keys()],
      baselines,
      killers: [...this.killers],
    }
    mkdirSync(dirname(this.path), { recursive: true })
    writeFileSync(this.path, JSON.stringify(stored))
  }
}

function read(path: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stored
  } catch {
    // Never written, or half written: nothing is known.
    return undefined
  }
}
