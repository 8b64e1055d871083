/**
 * Cuts the excerpts in this directory from real recordings: the file's own formats, options and data, as many chunks (or events) as asked, and of
 * kallsyms only the symbols its stacks use. Run as
 *
 *     npm run build && node build/test/traces/cut.js RECORDINGS test/traces
 *
 * where RECORDINGS holds v5.10/, v6.1/, v7.3/ and selftests/ as docs/trace.md describes them.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeInflate } from '../../src/cli/inflate.ts'
import { type Inflate, memoryFile } from '../../src/trace/byte-file.ts'
import { openDat, ownThread, readDat } from '../../src/trace/dat/read.ts'
import { unpack } from '../../src/trace/dat/unpack.ts'
import { type DatData, type DatParts, writeDat6, writeDat7 } from '../trace/dat-file.ts'
import { type Original, takeApart } from '../trace/dat-parts.ts'

/**
 * Which part of each recording: whole, with its own compressed chunks; or what lies between two times (seconds), the same on every CPU, packed anew
 * with zlib.
 */
const RECIPES: readonly { readonly from: string; readonly to?: string; readonly seconds?: readonly [number, number]; readonly version?: 6 }[] = [
  { from: 'v5.10/hmm.dat' },
  { from: 'v5.10/hmm.dat', to: 'v5.10/hmm.v6.dat', version: 6 },
  { from: 'v5.10/dax.dat' },
  { from: 'v5.10/load.dat', seconds: [0, 5.385] },
  { from: 'v5.10/user.dat' },
  { from: 'v6.1/hmm.dat', seconds: [0, 55.87] },
  { from: 'v6.1/dax.dat' },
  { from: 'v6.1/load.dat', seconds: [0, 6.192] },
  { from: 'v7.3/hmm.dat', seconds: [0, 88.34] },
  { from: 'v7.3/dax.dat' },
  { from: 'v7.3/load.dat', seconds: [0, 5.952] },
  { from: 'selftests/v5.10-hmm-tests-all-pages.dat', seconds: [10.05, 10.5] },
  { from: 'selftests/v5.10-xfs-dio.dat' },
  { from: 'selftests/v7.3-ext4-dio.dat' },
  { from: 'selftests/v6.1-hmm-tests.dat', seconds: [7.39, 8.08] },
  { from: 'selftests/v6.1-xfs-lost-wake.dat' },
  { from: 'selftests/v6.1-hmm-leak.dat', seconds: [0, 6] },
  { from: 'selftests/v7.3-hmm-tests.dat', seconds: [14.5, 16.5] },
]
const CPUSTAT = 2
const TEXTS = [
  'v5.10/hmm.report.txt',
  'v5.10/hmm.report.raw.txt',
  'v5.10/hmm.tracefs.txt',
  'v5.10/hmm.perf.txt',
  'v5.10/kprobe.trace',
  'v5.10/iomem',
  'v5.10/dax.report.txt',
  'v6.1/dax.report.txt',
  'v6.1/hmm.perf.txt',
  'v6.1/iomem',
  'v7.3/dax.report.txt',
  'v7.3/hmm.perf.txt',
  'v7.3/iomem',
  'selftests/v5.10-hmm-tests.iomem',
  'selftests/v5.10-xfs-dio.iomem',
  'selftests/v7.3-ext4-dio.iomem',
  'selftests/v6.1-hmm-tests.iomem',
  'selftests/v6.1-xfs-lost-wake.iomem',
  'selftests/v6.1-hmm-leak.iomem',
  'selftests/v7.3-hmm-tests.iomem',
]

/** The pages (of a 64-bit little-endian kernel) with what was recorded between two times: pages before are left out, the last is shortened. */
function between(pages: Uint8Array, pageSize: number, from: number, to: number): Uint8Array {
  const kept: Uint8Array[] = []
  for (let start = 0; start + pageSize <= pages.length; start += pageSize) {
    const page = new Uint8Array(pages.subarray(start, start + pageSize))
    const view = new DataView(page.buffer)
    let time = Number(view.getBigUint64(0, true))
    const used = view.getUint32(8, true) & 0x07ffffff
    if (time < from) continue
    let at = 16
    let end = at
    while (at + 4 <= 16 + used) {
      const word = view.getUint32(at, true)
      const type = word & 31
      time += type === 30 ? (word >>> 5) + view.getUint32(at + 4, true) * 2 ** 27 : word >>> 5
      if (time >= to || (type === 29 && word >>> 5 === 0)) break
      const size = type === 30 ? 8 : type === 0 ? 4 + view.getUint32(at + 4, true) : type === 29 ? 4 + view.getUint32(at + 4, true) : 4 + type * 4
      at += Math.ceil(size / 4) * 4
      end = at
    }
    if (end === 16) break
    view.setUint32(8, (view.getUint32(8, true) & 0xf8000000) | (end - 16), true)
    page.fill(0, end)
    kept.push(page)
    if (end < 16 + used) break
  }
  return Buffer.concat(kept)
}

/** Symbols the stacks of a file use. */
async function usedSymbols(bytes: Uint8Array, inflate: Inflate, kallsyms: string): Promise<string> {
  const used = new Set<string>()
  const trace = openDat(memoryFile(bytes), inflate)
  const summary = await readDat(trace, '', (layout) => ownThread(layout, inflate), { events() {} })
  const frame = (id: number): void => {
    for (const { name } of summary.tables.stack(id)) used.add(name)
  }
  for (let id = 1; id < summary.tables.stacks; id++) frame(id)
  // The tracing's own frames are taken off before one sees them.
  return kallsyms
    .split('\n')
    .filter((line) => used.has(line.split(/\s/)[2]) || /^\S+ [tT] (__page_ref_|memremap_pages|memunmap_pages)/.test(line))
    .join('\n')
    .concat('\n')
}

/** What the kernel counted on a CPU is of the whole recording: of an excerpt it would say that records are missing. */
function withoutCounts(stat: Uint8Array): Uint8Array {
  return Buffer.from(
    Buffer.from(stat)
      .toString('latin1')
      .replace(/^(entries|read events):.*\n/gm, ''),
    'latin1',
  )
}

async function main(source: string, target: string): Promise<void> {
  const inflate = await makeInflate()
  let total = 0
  for (const recipe of RECIPES) {
    const bytes = new Uint8Array(readFileSync(join(source, recipe.from)))
    const { parts, clock, pageSize, cpus } = takeApart(bytes, inflate)
    const plain = (chunks: Original['cpus'][number]['chunks']): Uint8Array =>
      Buffer.concat(chunks.map(({ packed, size }) => unpack(inflate, 'zstd', packed, size, 0)))
    const { seconds, version } = recipe
    const options =
      seconds === undefined ? parts.options : parts.options.map(({ id, data }) => (id === CPUSTAT ? { id, data: withoutCounts(data) } : { id, data }))
    const whole = seconds === undefined && version === undefined
    const data: DatData = {
      name: '',
      clock,
      pageSize,
      cpus: cpus
        .map(({ cpu, chunks }) =>
          whole
            ? { cpu, pages: new Uint8Array(0), chunks }
            : { cpu, pages: seconds ? between(plain(chunks), pageSize, seconds[0] * 1e9, seconds[1] * 1e9) : plain(chunks) },
        )
        .filter((one) => one.pages.length > 0 || (one.chunks?.length ?? 0) > 0),
    }
    const write = (all: DatParts): Uint8Array => (version === 6 ? writeDat6(all, [data]) : writeDat7(all, [data], whole ? 'zstd' : 'zlib'))
    const out = write({ ...parts, options, kallsyms: await usedSymbols(write(parts), inflate, parts.kallsyms) })
    const path = join(target, recipe.to ?? recipe.from)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, out)
    total += out.length
    process.stdout.write(`${path}: ${out.length} bytes\n`)
  }
  for (const text of TEXTS) {
    const path = join(target, text)
    if (!existsSync(join(source, text))) continue
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(join(source, text), path)
    total += readFileSync(path).length
  }
  process.stdout.write(`${total} bytes in all\n`)
}

const [source, target] = process.argv.slice(2)
if (source === undefined || target === undefined) process.stderr.write('give the directory of the recordings and the one to write to\n')
else await main(source, target)
