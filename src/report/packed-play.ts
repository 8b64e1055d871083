/** A `putpage-play/1` made smaller: positions, which are most of a program and which programs share, stand in one table. */
import type { Frame, Node, Position, Program } from '../ir/program.ts'
import type { PlayDocument, PlayRun } from './play.ts'

type Numbered = Omit<Position, 'stack'> & { readonly stack: number }
type PackedNode = Omit<Node, 'at'> & { readonly at: number }
type PackedProgram = Omit<Program, 'threads'> & {
  readonly threads: readonly (Omit<Program['threads'][number], 'nodes'> & { readonly nodes: readonly PackedNode[] })[]
}

export interface PackedRun extends Omit<PlayRun, 'program'> {
  readonly program: PackedProgram
}

export interface PackedPlay extends Omit<PlayDocument, 'runs'> {
  readonly runs: readonly PackedRun[]
  readonly frames: readonly Frame[]
  /** Indices into `frames`, outermost first. */
  readonly stacks: readonly (readonly number[])[]
  readonly positions: readonly Numbered[]
}

/** Packs runs one after the other into the same tables. */
export class PlayPacker {
  private readonly frames = new Table<Frame>()
  private readonly stacks = new Table<readonly number[]>()
  private readonly positions = new Table<Numbered>()

  pack(run: PlayRun): PackedRun {
    const at = (position: Position): number =>
      this.positions.add({ ...position, stack: this.stacks.add(position.stack.map((frame) => this.frames.add(frame))) })
    const threads = run.program.threads.map((thread) => ({ ...thread, nodes: thread.nodes.map((node): PackedNode => ({ ...node, at: at(node.at) })) }))
    return { ...run, program: { ...run.program, threads } }
  }

  /** The tables as they are now. */
  get tables(): Pick<PackedPlay, 'frames' | 'stacks' | 'positions'> {
    return { frames: this.frames.rows, stacks: this.stacks.rows, positions: this.positions.rows }
  }
}

class Table<T> {
  readonly rows: T[] = []
  private readonly places = new Map<string, number>()

  add(row: T): number {
    const key = JSON.stringify(row)
    let place = this.places.get(key)
    if (place === undefined) {
      place = this.rows.length
      this.rows.push(row)
      this.places.set(key, place)
    }
    return place
  }
}

/** The document as it was. */
export function unpackPlay({ frames, stacks, positions, runs, ...rest }: PackedPlay): PlayDocument {
  const wholeStacks = stacks.map((stack) => stack.map((frame) => frames[frame]))
  const whole = positions.map((position): Position => ({ ...position, stack: wholeStacks[position.stack] }))
  const unpacked = runs.map((run): PlayRun => {
    const threads = run.program.threads.map((thread) => ({ ...thread, nodes: thread.nodes.map((node) => ({ ...node, at: whole[node.at] }) as Node) }))
    return { ...run, program: { ...run.program, threads } }
  })
  return { ...rest, runs: unpacked }
}
