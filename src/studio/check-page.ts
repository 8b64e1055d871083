/** `putpage check --html`: the runs with the player in one file, as many counterexamples as it holds. */
import { gzipSync } from 'node:zlib'
import type { Selection } from '../cli/models.ts'
import { type PackedPlay, PlayPacker } from '../report/packed-play.ts'
import { filesOf, PLAY_FORMAT, type PlayRun, summaryOf } from '../report/play.ts'
import type { Run } from '../report/run.ts'
import { reportPage } from './page.ts'
import { playable, sourcesOf } from './playing.ts'

/** Bytes of counterexamples, packed: with the player around them the file stays under 2 MB. */
export const ROOM = 950_000
/** Runs that did not fit, after which no other is tried: to find out takes as long as to show it. */
const MOST_MISSES = 12

/** Gives the report of runs. Failed runs come with their programs, in their order, as long as there is `room`; a single run comes whatever its verdict. */
export function checkPage(selection: Selection, runs: readonly Run[], commandOf: (run: Run) => string, room = ROOM): string {
  const taken: PlayRun[] = []
  const others: Run[] = []
  let size = 0
  let misses = 0
  /** Sources that are there already: runs share most of theirs. */
  const files = new Set<string>()
  for (const run of runs) {
    const wanted = runs.length === 1 || run.exploration.verdict === 'violation'
    const one = wanted && misses < MOST_MISSES ? playable(selection, run, commandOf(run)) : undefined
    const fresh = one ? Object.entries(sourcesOf(filesOf(one.program))).filter(([file]) => !files.has(file)) : []
    const packed = one ? packedSize(one, fresh) : 0
    if (one && (taken.length === 0 || size + packed <= room)) {
      taken.push(one)
      size += packed
      for (const [file] of fresh) files.add(file)
    } else {
      others.push(run)
      if (one) misses++
    }
  }
  const dropped = others.filter(({ exploration }) => exploration.verdict === 'violation').length
  const packer = new PlayPacker()
  const document: PackedPlay = {
    format: PLAY_FORMAT,
    runs: taken.map((run) => packer.pack(run)),
    ...packer.tables,
    sources: sourcesOf(taken.flatMap(({ program }) => filesOf(program))),
    others: others.map(summaryOf),
    ...(dropped === 0
      ? {}
      : {
          leftOut: `Left out to keep this file small: the counterexamples of ${dropped} failed runs. Name fewer scenarios, or look at them in putpage studio.`,
        }),
  }
  const title = taken.length > 0 ? `${taken[0].scenario} on ${[taken[0].kernel, ...taken[0].changes].join(' ')}` : 'putpage check'
  return reportPage(`${title}: putpage`, { kind: 'play', play: document })
}

/** Bytes that a run and its sources take in the page, if it shared no position with another. */
function packedSize(run: PlayRun, sources: readonly (readonly [string, string])[]): number {
  const packer = new PlayPacker()
  const packed = packer.pack(run)
  return Math.ceil((gzipSync(JSON.stringify([packed, packer.tables, sources]), { level: 9 }).length * 4) / 3)
}
