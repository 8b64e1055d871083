/** Recognises a trace by its content and opens it. */
import { type ByteFile, type Inflate, TraceError } from './byte-file.ts'
import { isDat } from './dat/head.ts'
import { type DatTrace, instancesOf, openDat } from './dat/read.ts'
import { recogniseText, type TextHead } from './text/read.ts'

export type OpenTrace =
  | { readonly kind: 'dat'; readonly file: ByteFile; readonly dat: DatTrace; readonly instances: readonly string[] }
  | { readonly kind: 'text'; readonly file: ByteFile; readonly text: TextHead; readonly instances: readonly string[] }

/** Opens a trace. Throws `TraceError` with what it is instead, and what to do. */
export function openTrace(file: ByteFile, inflate: Inflate): OpenTrace {
  if (file.size === 0) throw new TraceError(`${file.name} is empty`)
  const start = file.read(0, Math.min(file.size, 1 << 14))
  if (isDat(start)) {
    const dat = openDat(file, inflate)
    return { kind: 'dat', file, dat, instances: instancesOf(dat.head) }
  }
  const other = otherFile(start)
  if (other !== undefined) throw new TraceError(`${file.name} is ${other}`)
  const text = recogniseText(file)
  if (text) return { kind: 'text', file, text, instances: [''] }
  if (looksLikePages(start)) {
    const name = file.name.replace(/\.cpu\d+$/, '')
    throw new TraceError(
      `${file.name} is one CPU's raw data, as a recorder leaves it that was killed: finish the recording with\n  trace-cmd restore -o ${name} ${name}.cpu*\non the machine it was made on, then give ${name}`,
    )
  }
  throw new TraceError(
    `${file.name} is no trace that can be read: neither trace.dat nor the text of trace-cmd report, tracefs or perf script with page_ref events`,
  )
}

function otherFile(start: Uint8Array): string | undefined {
  const text = String.fromCharCode(...start.subarray(0, 16))
  if (text.startsWith('PERFILE2')) return "perf's binary data: turn it into text with\n  perf script -i FILE > trace.txt"
  if (start[0] === 0x1f && start[1] === 0x8b) return 'compressed with gzip: gunzip it first'
  if (text.startsWith('\x28\xb5\x2f\xfd')) return 'compressed with zstd: unzstd it first'
  if (text.startsWith('\xfd7zXZ')) return 'compressed with xz: unxz it first'
  if (text.startsWith('PK\x03\x04')) return 'a zip archive: unpack it first'
  if (text.slice(0, 3) === 'BZh') return 'compressed with bzip2: bunzip2 it first'
  return undefined
}

/** Ring-buffer pages without a head: a time stamp, then how much of the page is used, page after page. */
function looksLikePages(start: Uint8Array): boolean {
  if (start.length < 4096 || start.length % 4096 !== 0) return false
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  for (let at = 0; at < start.length; at += 4096) {
    const used = view.getUint32(at + 8, true) & 0x07ffffff
    if (used > 4080 || view.getUint32(at + 12, true) !== 0) return false
    if (at === 0 && (used === 0 || view.getUint32(0, true) === 0)) return false
  }
  return true
}
