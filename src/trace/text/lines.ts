/** The lines of a file, read piece by piece. */
import type { ByteFile } from '../byte-file.ts'

const PIECE = 1 << 20
/** A line longer than this is none: the file is no text. */
const LONGEST = 1 << 20

/** Calls `each` with every line, without its end, in order, and whether it has one: the last of a file that is cut off has not. `piece` after every megabyte. */
export async function eachLine(file: ByteFile, each: (line: string, whole: boolean) => void, piece: (done: number) => void): Promise<void> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  for (let at = 0; at < file.size; ) {
    const bytes = file.read(at, PIECE)
    if (bytes.length === 0) break
    at += bytes.length
    const text = rest + decoder.decode(bytes, { stream: true })
    let from = 0
    for (;;) {
      const end = text.indexOf('\n', from)
      if (end < 0) break
      each(text.charCodeAt(end - 1) === 13 ? text.slice(from, end - 1) : text.slice(from, end), true)
      from = end + 1
    }
    rest = text.slice(from)
    if (rest.length > LONGEST) rest = ''
    piece(at / Math.max(1, file.size))
    // Let others of this thread have their turn: progress, signals.
    await Promise.resolve()
  }
  if (rest !== '') each(rest, false)
}
