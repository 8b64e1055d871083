/** Why survivors survive: the table of docs/mutants.md. */
import { type Mutant, mutantKey } from './operators.ts'

/** Reads the rows `| file | function | operator | statement | why |`; code marks are not part of a cell. */
export function readExplanations(markdown: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of markdown.split('\n')) {
    // A bar within a cell is written \|.
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) =>
        cell
          .trim()
          .replaceAll('\\|', '|')
          .replace(/^`(.*)`$/, '$1'),
      )
    if (cells.length !== 5 || cells[0] === 'file' || /^-+$/.test(cells[0])) continue
    const [file, name, operator, text, why] = cells
    found.set(mutantKey({ file, function: name, operator, text }), why)
  }
  return found
}

/** The row to add for a survivor. */
export function explanationRow({ file, function: name, operator, text }: Mutant, why = ''): string {
  return `| ${[file, `\`${name}\``, operator, `\`${text.replaceAll('|', '\\|')}\``, why].join(' | ')} |`
}
