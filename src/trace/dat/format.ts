/** Event formats as tracefs writes them: names, ids, and where each field lies. Source: Documentation/trace/events.rst. */

export interface Field {
  readonly name: string
  readonly type: string
  readonly offset: number
  readonly size: number
  readonly signed: boolean
}

export interface EventFormat {
  readonly name: string
  readonly system: string
  readonly id: number
  readonly fields: ReadonlyMap<string, Field>
  /** The `print fmt:` line without its label. */
  readonly print: string
}

const FIELD = /^\s*field:\s*(.*?)\s*;\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d+);)?/

/** Reads one field line: `field:unsigned long pfn; offset:8; size:8; signed:0;`. */
export function parseField(line: string): Field | undefined {
  const match = FIELD.exec(line)
  if (!match) return undefined
  const declaration = match[1].replace(/\[[^\]]*\]$/, '').trim()
  const split = /^(.*?)\s*\*?\s*([A-Za-z_]\w*)$/.exec(declaration)
  if (!split) return undefined
  return { name: split[2], type: split[1].trim(), offset: Number(match[2]), size: Number(match[3]), signed: match[4] === '1' }
}

/** Reads the text of one event; undefined if it has no name or number. */
export function parseFormat(text: string, system: string): EventFormat | undefined {
  const name = /^name:\s*(\S+)/m.exec(text)?.[1]
  const id = /^ID:\s*(\d+)/m.exec(text)?.[1]
  if (name === undefined || id === undefined) return undefined
  const fields = new Map<string, Field>()
  for (const line of text.split('\n')) {
    const field = parseField(line)
    if (field) fields.set(field.name, field)
  }
  return { name, system, id: Number(id), fields, print: /^print fmt:\s*(.*)$/m.exec(text)?.[1] ?? '' }
}

/** Where the parts of a ring-buffer page are. */
export interface PageHeader {
  readonly timestamp: number
  readonly commit: number
  /** Size of `commit`: that of a kernel long. */
  readonly commitSize: number
  readonly data: number
}

/** Reads `header_page`; its fields are found by name, since their types changed (7.3). */
export function parsePageHeader(text: string): PageHeader | undefined {
  const fields = new Map<string, Field>()
  for (const line of text.split('\n')) {
    const field = parseField(line)
    if (field) fields.set(field.name, field)
  }
  const timestamp = fields.get('timestamp')
  const commit = fields.get('commit')
  const data = fields.get('data')
  if (!timestamp || !commit || !data || timestamp.size !== 8 || (commit.size !== 8 && commit.size !== 4) || data.offset > 64) return undefined
  return { timestamp: timestamp.offset, commit: commit.offset, commitSize: commit.size, data: data.offset }
}
