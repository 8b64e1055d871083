/** Lives that are held to the model in another thread come to the same as in this one. */
import { deepEqual, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bookOf } from '../../src/cli/kept-books.ts'
import { LivesApart } from '../../src/cli/lives-apart.ts'
import type { RoleBook } from '../../src/roles/book.ts'
import { Audit } from '../../src/trace/audit.ts'
import { bookRules } from '../../src/trace/book-rules.ts'
import { HeldLives, type HeldResult } from '../../src/trace/held-lives.ts'
import { HeldToModel, type Lives } from '../../src/trace/held-to-model.ts'
import { LifeLogReader, LifeLogWriter } from '../../src/trace/life-log.ts'
import { fileOf, pass, rangesOf } from './in-process.ts'

/** Recordings, and the kernel each is held to: also one that is not its own, since then much is found. */
const HELD: readonly (readonly [string, string])[] = [
  ['selftests/v5.10-hmm-tests-all-pages.dat', 'v5.10'],
  ['selftests/v6.1-hmm-tests.dat', 'v6.1'],
  ['selftests/v6.1-hmm-tests.dat', 'v5.10'],
  ['selftests/v7.3-hmm-tests.dat', 'v7.3'],
  ['selftests/v7.3-ext4-dio.dat', 'v6.1'],
  ['selftests/v5.10-xfs-dio.dat', 'v7.3'],
]

/** What is found of a recording, by `make`. */
async function heldBy(recording: string, kernel: string, make: (book: RoleBook, release: string | undefined) => Lives): Promise<HeldResult> {
  let lives: Lives | undefined
  const judge = new HeldToModel(
    () => bookOf(kernel),
    (book, release) => {
      lives = make(book, release)
      return lives
    },
  )
  const audit = new Audit({ ranges: rangesOf(recording), judges: [judge], rules: () => bookRules(bookOf(kernel)) })
  const summary = await pass(fileOf(recording), audit.listener)
  await audit.answered()
  audit.finish(summary)
  ok(lives)
  return lives.result()
}

const here = (book: RoleBook, release: string | undefined): Lives => new HeldLives(book, release)

/** Through messages, in this thread: slots of `rows` rows, so that they are full again and again. */
function throughMessages(rows: number): (book: RoleBook, release: string | undefined) => Lives {
  return (book, release) => {
    const read = new Int32Array(new SharedArrayBuffer(4))
    const lives = new HeldLives(book, release)
    const reader = new LifeLogReader(lives)
    const writer = new LifeLogWriter(
      (message) => {
        reader.take(structuredClone(message))
        read[0]++
      },
      read,
      rows,
    )
    return {
      use: (sites, letters) => writer.use(sites, letters),
      see: (batch) => writer.see(batch),
      rest: () => writer.flush(),
      run: (index, type, batch, order, from, to) => writer.run(index, type, batch, order, from, to),
      broken: (index, why) => writer.broken(index, why),
      end() {
        writer.flush()
        lives.end()
      },
      result: () => lives.result(),
    }
  }
}

describe('lives held to the model through messages', () => {
  for (const [recording, kernel] of HELD)
    it(`${recording}, by the model of ${kernel}`, async () => {
      const expected = await heldBy(recording, kernel, here)
      ok(expected.types.some((type) => type !== 0))
      for (const rows of [48, 1024, 1 << 16]) deepEqual(await heldBy(recording, kernel, throughMessages(rows)), expected)
    })

  it('in a thread', async () => {
    const [recording, kernel] = HELD[2]
    const expected = await heldBy(recording, kernel, here)
    ok(expected.rejections.length > 0)
    deepEqual(await heldBy(recording, kernel, (book, release) => new LivesApart(book.kernel, release)), expected)
  })
})
