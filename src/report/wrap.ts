/** Fitting text into columns. */

/** Breaks text into lines of at most `width`, at spaces where it can, the later lines indented. At most `most` lines; what is cut ends in `…`. */
export function wrap(text: string, width: number, indent = 0, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = []
  let rest = text.trim()
  while (rest.length > 0) {
    const lead = lines.length === 0 ? '' : ' '.repeat(indent)
    const room = Math.max(1, width - lead.length)
    if (rest.length <= room) {
      lines.push(lead + rest)
      break
    }
    if (lines.length + 1 === most) {
      lines.push(`${lead}${rest.slice(0, room - 1).trimEnd()}…`)
      break
    }
    const cut = breakAt(rest, room)
    lines.push(lead + rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  return lines
}

/** A space if it leaves the line at least half full, else behind a bracket, comma or slash, else anywhere. */
function breakAt(text: string, room: number): number {
  const space = text.lastIndexOf(' ', room)
  if (space > room / 2) return space
  const mark = Math.max(...['(', ',', '/', '.'].map((sign) => text.lastIndexOf(sign, room - 1) + 1))
  return mark > room / 3 ? mark : space > 0 ? space : room
}

/** `1 read`, `3 reads`. */
export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `5,005,376`, whatever the locale. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}
