import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Studio, startStudio } from '../../src/studio/server.ts'

let studio: Studio
let port: number
let cache: string

before(async () => {
  // What was searched by others is not to be seen here.
  cache = mkdtempSync(join(tmpdir(), 'putpage-cache-'))
  process.env.PUTPAGE_CACHE = cache
  studio = await startStudio(0, { format: 'putpage-order/1' })
  port = Number(new URL(studio.url).port)
})

after(async () => {
  await studio.close()
  rmSync(cache, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** A request byte for byte as given: no client tidies the path. */
function ask(path: string, { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

test('the page comes with a strict policy', async () => {
  const { status, headers, text } = await ask('/')
  assert.equal(status, 200)
  assert.match(text, /<title>putpage studio<\/title>/)
  const policy = String(headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval'/)
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval'.*'unsafe-eval'|\*|https?:/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('it answers only to its own names, and no other site', async () => {
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', 'localhost:1', `127.0.0.1.evil.example:${port}`]) {
    assert.equal((await ask('/', { headers: { Host: host } })).status, 403, host)
  }
  assert.equal((await ask('/', { headers: { Host: `localhost:${port}` } })).status, 200)
  assert.equal((await ask('/api/verdicts', { headers: { Origin: 'https://evil.example' } })).status, 403)
  assert.equal((await ask('/api/verdicts', { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status, 403)
  assert.equal((await ask('/api/verdicts', { headers: { Origin: `http://127.0.0.1:${port}` } })).status, 200)
  // A form of another page can post text, not JSON.
  assert.equal((await ask('/api/search', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"runs":[]}' })).status, 403)
})

test('it listens on loopback only', async () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4')
  if (!outside) return
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: outside.address, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
  assert.ok(refused, `${outside.address}:${port} answers`)
})

test('it serves nothing but its own files', async () => {
  const paths = [
    '/../package.json',
    '/%2e%2e/package.json',
    '/..%2fpackage.json',
    '/studio.js/../../package.json',
    '/..\\package.json',
    '//etc/passwd',
    '/etc/passwd',
    '/studio.css%00.html',
    '/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/api/play/../../package.json',
  ]
  for (const path of paths) {
    const { status, text } = await ask(path)
    assert.ok(status === 404 || status === 400 || text.includes('putpage studio'), `${path}: ${status}`)
    assert.doesNotMatch(text, /root:|"devDependencies"/, path)
  }
  for (const path of ['/', '/api/model', '/studio.js']) assert.equal((await ask(path, { method: 'PUT' })).status, 404)
})

test('it takes no path and no unknown name from a page', async () => {
  const json = { 'Content-Type': 'application/json' }
  const play = await ask('/api/play?scenario=../package.json&kernel=v6.1')
  assert.equal(play.status, 400)
  assert.match(play.text, /there is no scenario/)
  assert.equal((await ask('/api/play?scenario=./scenarios/two-dax-faults.ts&kernel=v6.1')).status, 400)
  assert.equal((await ask('/api/play?scenario=two-dax-faults&kernel=v9')).status, 400)
  assert.match((await ask('/api/play?scenario=two-dax-faults&kernel=v6.1&with=nonsense')).text, /there is no change or fix 'nonsense'/)
  assert.equal((await ask('/api/search', { method: 'POST', headers: json, body: 'no JSON' })).status, 400)
  assert.equal((await ask('/api/search', { method: 'POST', headers: json, body: '{"runs": 3}' })).status, 400)
  assert.equal((await ask('/api/search', { method: 'POST', headers: json, body: `{"runs": [${'1,'.repeat(200_000)}1]}` })).status, 400)
  assert.equal((await ask('/api/book', { method: 'POST', headers: json, body: '{"kernel":"../x"}' })).status, 400)
})

test('a search is heard of from its beginning to its end', async () => {
  const { text } = await ask('/api/search', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ runs: [{ scenario: 'gup-of-mapped-dax', kernel: 'v5.15+seed' }], with: [], without: [] }),
  })
  const { batch } = JSON.parse(text) as { batch: string }
  const { text: stream } = await ask(`/api/news?batch=${batch}`)
  const news = stream
    .split('\n\n')
    .flatMap((part) => (part.startsWith('data: ') ? [JSON.parse(part.slice(6)) as { kind: string; summary?: { verdict: string; kinds: string[] } }] : []))
  assert.equal(news.find(({ kind }) => kind === 'done')?.summary?.verdict, 'violation')
  assert.equal(news.at(-1)?.kind, 'end')
  const known = JSON.parse((await ask('/api/verdicts')).text) as { scenario: string }[]
  assert.deepEqual(
    known.map(({ scenario }) => scenario),
    ['gup-of-mapped-dax'],
  )
})

test('when the page goes away its searches end', async () => {
  const { text } = await ask('/api/search', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      runs: Array.from({ length: 50 }, () => ({ scenario: 'truncate-against-three-pins-and-fault', kernel: 'v6.1' })),
      with: [],
      without: [],
    }),
  })
  const { batch } = JSON.parse(text) as { batch: string }
  await new Promise<void>((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path: `/api/news?batch=${batch}` }, (response) => {
      response.on('error', () => {})
      sent.destroy()
    })
    sent.on('error', () => {})
    sent.on('close', resolve)
    sent.end()
  })
  const { text: stream } = await ask(`/api/news?batch=${batch}`)
  assert.match(stream, /"kind":"end","stopped":true/)
})
