/** The web app as one page: everything in it, for a report that opens from a mail; or with its script and style beside it, for the server. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Failure } from '../cli/failure.ts'
import { packageRoot } from '../cli/files.ts'

/** What the built app consists of. */
export const APP_FILES = ['studio.js', 'studio.css'] as const

/** A file of the built app. Throws `Failure` if it was never built. */
export function appFile(name: (typeof APP_FILES)[number]): string {
  const path = join(packageRoot(), 'build/studio', name)
  if (!existsSync(path)) throw new Failure('the web app is not built; in a clone of putpage, run\n  npm run build')
  return readFileSync(path, 'utf8')
}

/** Where scripts, styles and connections of a page may come from. The interpreter runs, no generated code; zstd is WebAssembly. */
export function contentSecurityPolicy(script: string, style: string, connect: string): string {
  return [
    "default-src 'none'",
    `script-src ${script} 'wasm-unsafe-eval'`,
    `style-src ${style}`,
    'worker-src blob:',
    'img-src data:',
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/** One file with everything in it: needs no network and no server, and may connect nowhere. `data` is what the page shows. */
export function reportPage(title: string, data: object): string {
  // Neither may end the element it stands in.
  const script = appFile('studio.js').replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')
  const style = appFile('studio.css').replaceAll('</style', '<\\/style')
  const packed = gzipSync(JSON.stringify(data), { level: 9 }).toString('base64')
  const policy = contentSecurityPolicy(hashOf(script), hashOf(style), "'none'")
  return [
    ...head(title),
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<style>${style}</style>`,
    '<body>',
    '<div id="app"><p>Reading …</p><noscript><p>This report needs JavaScript.</p></noscript></div>',
    `<script type="text/plain" id="putpage-data">${packed}</script>`,
    `<script>${script}</script>`,
    '',
  ].join('\n')
}

/** The page of the server: script and style come from it too. The policy is in the answer's head. */
export function serverPage(): string {
  return [
    ...head('putpage studio'),
    '<link rel="stylesheet" href="studio.css">',
    '<body>',
    '<div id="app"><p>Loading …</p><noscript><p>The studio needs JavaScript.</p></noscript></div>',
    '<script src="studio.js"></script>',
    '',
  ].join('\n')
}

/** The first page of an export: script and style beside it, and a list of what there is. It may connect nowhere. */
export function exportPage(data: object): string {
  return [
    ...head('putpage studio'),
    `<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy("'self'", "'self'", "'none'")}">`,
    '<link rel="stylesheet" href="studio.css">',
    '<body>',
    '<div id="app"><p>Loading …</p><noscript><p>The studio needs JavaScript.</p></noscript></div>',
    `<script type="text/plain" id="putpage-data">${gzipSync(JSON.stringify(data), { level: 9 }).toString('base64')}</script>`,
    '<script src="studio.js"></script>',
    '',
  ].join('\n')
}

function head(title: string): string[] {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // A page without an icon would be asked for one.
    '<link rel="icon" href="data:,">',
    `<title>${asText(title)}</title>`,
  ]
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

function asText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
