/** Where documents come from: out of the page itself (a report, an export), or from the server. */
import { type PackedPlay, unpackPlay } from '../../src/report/packed-play.ts'
import type { PlayDocument } from '../../src/report/play.ts'
import type { TraceDocument } from '../../src/report/trace-document.ts'
import type { ExportData } from './verdicts/export-backend.ts'

/** What a page carries in itself: `<script type="text/plain" id="putpage-data">` with gzip in base64. */
export type Embedded =
  | { readonly kind: 'play'; readonly play: PlayDocument }
  | { readonly kind: 'trace'; readonly trace: TraceDocument }
  | ({ readonly kind: 'export' } & ExportData)

/** The page's own data; undefined if it has none and a server answers. */
export async function embedded(): Promise<Embedded | undefined> {
  const element = document.getElementById('putpage-data')
  if (!element) return undefined
  const text = atob((element.textContent ?? '').trim())
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  const data = JSON.parse(await new Response(stream).text()) as Exclude<Embedded, { kind: 'play' }> | { readonly kind: 'play'; readonly play: PackedPlay }
  return data.kind === 'play' ? { kind: 'play', play: unpackPlay(data.play) } : data
}

/** Asks the server. Throws what it says is wrong. */
export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch {
    throw new Error('The server does not answer. Is `putpage studio` still running?')
  }
  const text = await response.text()
  if (!response.ok) throw new Error(text === '' ? `The server says ${response.status}.` : text)
  return JSON.parse(text) as T
}
