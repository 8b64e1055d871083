/** Every file and function of kernel/, as docs/model-functions.md has them: what each stands for, in its own words, and the switches it reads. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts = require('typescript')

import { packageRoot } from '../../src/cli/files.ts'
import { filesBelow, readText } from '../mutation/model-files.ts'

const MAP_FILE = 'docs/model-functions.md'
/** What is no model of a kernel function. */
const SUPPORT = ['kernel/switches.ts', 'kernel/known-bugs.ts']

/** The files of the model. */
export function mappedFiles(): string[] {
  return filesBelow('kernel').filter((file) => !SUPPORT.includes(file))
}

/** The map as it stands in docs/. */
export function writtenMap(): string {
  return readText(MAP_FILE)
}

const HEAD = `# Every function of the model

Made from the files of \`kernel/\` by \`npm run map\`; a test says when it is not up to date. What a file and a function stand for is what their own
comments say, with the kernel functions and the commits that changed them. In brackets: the switches a function reads, which is where the kernels differ
(\`putpage list\` says which kernel has which). "Inner" ones are parts of others of their file. What is left out, and why:
[model.md](model.md).
`

/** The text of the map. */
export function functionMap(): string {
  return [HEAD, ...mappedFiles().map(fileSection)].join('\n')
}

function fileSection(name: string): string {
  const source = ts.createSourceFile(name, readText(name), ts.ScriptTarget.Latest, true)
  const entries = source.statements.flatMap((node) => entryOf(source, node))
  return [`## ${name}`, '', headOf(source.text), '', ...entries, ''].join('\n')
}

/** The comment a file begins with. */
function headOf(text: string): string {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(' ')
}

function entryOf(source: ts.SourceFile, node: ts.Statement): string[] {
  const isFunction = ts.isFunctionDeclaration(node)
  if (!(isFunction || ts.isClassDeclaration(node)) || !node.name) return []
  const exported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
  const text = node.getText(source)
  const switches = [...new Set([...text.matchAll(/\bchange\.(\w+)/g)].map(([, name]) => `\`${name}\``))]
  const said = comment(node)
  const name = `\`${isFunction ? '' : 'class '}${node.name.text}${isFunction ? '()' : ''}\`${exported ? '' : ', inner'}`
  return [`- ${name}${said === '' ? '' : `: ${said}`}${switches.length === 0 ? '' : ` [${switches.join(', ')}]`}`]
}

/** The comment of a declaration in one line, without tags. */
function comment(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  const text = docs.map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '').join(' ')
  return text.replaceAll(/\s+/g, ' ').trim()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(packageRoot(), MAP_FILE), functionMap())
