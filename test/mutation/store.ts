/** What earlier runs found out, on disk: a run that was ended goes on from there. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../src/cli/files.ts'
import type { Target, Word } from './laboratory.ts'

/** What is known of one mutant. */
export interface Known {
  /** Targets that were asked, by name: in those of `open` the search came to its limit. */
  readonly asked: Set<string>
  readonly open: Set<string>
  /** In this many a thread comes to the statement, and the verdict is the same. */
  same: number
  /** Its statement is in the program of one at least. */
  contained: boolean
  killed?: { readonly by: string; readonly how: string }
  refused?: string
}

interface Stored {
  /** Hash of everything that the rest depends on. */
  readonly content: string
  readonly mutants: Record<string, Omit<Known, 'asked' | 'open'> & { readonly asked: readonly number[]; readonly open: readonly string[] }>
  /** Hashes of the scenarios' files: what a scenario said that has changed since is forgotten. */
  readonly scenarios: Record<string, string>
  /** The targets, which `asked` names by place. */
  readonly targets: readonly string[]
  /** By mutant, whatever has changed since: what killed it last. */
  readonly killers: Record<string, string>
}

export class ResultStore {
  readonly killers: Map<string, string>
  private readonly known = new Map<string, Known>()
  private readonly content: string
  private readonly scenarios: ReadonlyMap<string, string>
  private readonly path: string

  constructor(content: string, scenarios: ReadonlyMap<string, string>, path = join(packageRoot(), 'build', 'mutation', 'results.json')) {
    this.content = content
    this.scenarios = scenarios
    this.path = path
    const stored = read(path)
    this.killers = new Map(Object.entries(stored?.killers ?? {}))
    if (stored?.content !== content) return
    const holds = (target: string): boolean => {
      const [scenario] = target.split(' ')
      return stored.scenarios[scenario] === scenarios.get(scenario)
    }
    for (const [key, { asked, open, killed, ...rest }] of Object.entries(stored.mutants)) {
      const still = new Set(asked.map((place) => stored.targets[place]).filter(holds))
      this.known.set(key, { ...rest, asked: still, open: new Set(open.filter(holds)), ...(killed && holds(killed.by) ? { killed } : {}) })
    }
  }

  of(key: string): Known {
    let known = this.known.get(key)
    if (!known) {
      known = { asked: new Set(), open: new Set(), same: 0, contained: false }
      this.known.set(key, known)
    }
    return known
  }

  /** Notes what a target said of a mutant. */
  note(key: string, target: Target, word: Word): void {
    const known = this.of(key)
    const name = targetName(target)
    known.asked.add(name)
    known.contained ||= word.says !== 'not in it'
    if (word.says === 'same') known.same++
    if (word.says === 'open') known.open.add(name)
    if (word.says === 'refused') known.refused = word.how
    if (word.says !== 'killed') return
    known.killed = { by: name, how: word.how }
    this.killers.set(key, name)
  }

  save(): void {
    const places = new Map<string, number>()
    const place = (name: string): number => {
      const at = places.get(name) ?? places.size
      places.set(name, at)
      return at
    }
    const mutants = Object.fromEntries([...this.known].map(([key, known]) => [key, { ...known, asked: [...known.asked].map(place), open: [...known.open] }]))
    const stored: Stored = {
      content: this.content,
      scenarios: Object.fromEntries(this.scenarios),
      mutants,
      targets: [...places.keys()],
      killers: Object.fromEntries(this.killers),
    }
    mkdirSync(dirname(this.path), { recursive: true })
    // A file half written would be lost work.
    writeFileSync(`${this.path}.new`, JSON.stringify(stored))
    renameSync(`${this.path}.new`, this.path)
  }
}

export function targetName({ scenario, kernel }: Target): string {
  return `${scenario} ${kernel}`
}

function read(path: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stored
  } catch {
    // Never written: nothing is known.
    return undefined
  }
}
