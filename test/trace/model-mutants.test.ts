/**
 * "Held to the model" can fail: with one step taken out of the model, real recordings of healthy kernels are no longer allowed by it. One step for each
 * role that the recordings show: zap, migration, fault, direct I/O, pipes.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { kernelFiles } from '../../src/cli/book-files.ts'
import { diskHost, packageRoot } from '../../src/cli/files.ts'
import { loadFunctions } from '../../src/lang/function-body.ts'
import { type KeptBook, roleBook } from '../../src/roles/book.ts'
import { PAGE_WORLD } from '../../src/roles/page-world.ts'
import { Audit } from '../../src/trace/audit.ts'
import { bookRules } from '../../src/trace/book-rules.ts'
import type { Finding } from '../../src/trace/finding.ts'
import { HeldToModel } from '../../src/trace/held-to-model.ts'
import { fileOf, pass, rangesOf } from './in-process.ts'

/** A statement of the model: the only one of its text in the function. */
interface Step {
  readonly file: string
  readonly function: string
  readonly statement: string
  /** A recording whose pages take it. */
  readonly recording: string
  readonly kernel: string
}

const STEPS: readonly Step[] = [
  ['kernel/mm/memory.ts', 'zap_device_private', "put_page(page, 'pte')", 'v6.1/hmm.dat', 'v6.1'],
  ['kernel/mm/memory.ts', 'do_device_private_page', "get_page(page, 'fault')", 'selftests/v6.1-hmm-tests.dat', 'v6.1'],
  ['kernel/mm/migrate.ts', 'remove_migration_pte', "get_page(page, 'pte')", 'selftests/v6.1-hmm-tests.dat', 'v6.1'],
  ['kernel/mm/migrate_device.ts', 'collect_device_private', "get_page(page, 'migrate')", 'selftests/v6.1-hmm-tests.dat', 'v6.1'],
  ['kernel/mm/migrate_device.ts', 'collect_device_private', "put_page(page, 'pte')", 'selftests/v6.1-hmm-tests.dat', 'v6.1'],
  ['kernel/mm/memory.ts', 'do_device_private_page', "put_page(page, 'fault')", 'selftests/v6.1-hmm-tests.dat', 'v6.1'],
  ['kernel/mm/migrate_device.ts', 'put_destination', "put_page(dst, 'alloc')", 'v6.1/hmm.dat', 'v6.1'],
  ['kernel/block/bio.ts', 'bio_release_pages', "else put_page(page, 'gup')", 'selftests/v5.10-xfs-dio.dat', 'v5.10'],
  ['kernel/fs/splice.ts', 'generic_pipe_buf_release', "put_page(page, 'gup')", 'selftests/v5.10-xfs-dio.dat', 'v5.10'],
].map(([file, fn, statement, recording, kernel]) => ({ file, function: fn, statement, recording, kernel }))

/** The model's text without a step. Throws if it is not there once. */
function without({ file, function: name, statement }: Step): string {
  const text = readFileSync(join(packageRoot(), file), 'utf8')
  const from = text.search(new RegExp(`function ${name}\\b`))
  const to = from < 0 ? -1 : text.indexOf('\n}\n', from)
  const body = text.slice(from, to)
  ok(from >= 0 && to > from && body.split(statement).length === 2, `${file}: ${name} has not one ${statement}`)
  return text.slice(0, from) + body.replace(statement, statement.startsWith('else') ? '' : '{}') + text.slice(to)
}

function bookOf(kernel: string, changed?: { readonly file: string; readonly text: string }): KeptBook {
  const disk = diskHost()
  const path = changed && join(packageRoot(), changed.file)
  const host = changed ? { ...disk, readFile: (name: string) => (name === path ? changed.text : disk.readFile(name)) } : disk
  const library = loadFunctions(host, kernelFiles(), PAGE_WORLD)
  const preset = library.kernels.find(({ name }) => name === kernel)
  return roleBook(kernel, { functions: library.functions, body: library.bodies(new Set(preset?.has ?? [])) })
}

async function outcome(recording: string, book: KeptBook): Promise<{ rejected: number; findings: readonly Finding[] }> {
  const audit = new Audit({ ranges: rangesOf(recording), judges: [new HeldToModel(() => book)], rules: () => bookRules(book) })
  const result = audit.finish(await pass(fileOf(recording), audit.listener))
  ok((result.conformance?.pages ?? 0) > 0)
  return { rejected: result.conformance?.rejected ?? 0, findings: result.findings.filter(({ kind }) => kind === 'not-in-model') }
}

describe('a step taken out of the model', () => {
  const whole = new Map<string, KeptBook>()
  for (const step of STEPS) {
    it(`${step.function} without ${step.statement}: ${step.recording} is rejected, and with it is not`, async () => {
      const book = whole.get(step.kernel) ?? bookOf(step.kernel)
      whole.set(step.kernel, book)
      const before = await outcome(step.recording, book)
      equal(before.rejected, 0)
      deepEqual(before.findings, [])
      const after = await outcome(step.recording, bookOf(step.kernel, { file: step.file, text: without(step) }))
      ok(after.rejected > 0, 'the changed model allows what the kernel did')
      ok(after.findings.length > 0)
    })
  }
})
