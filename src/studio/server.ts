/**
 * The studio's server. It binds to loopback only, answers nobody who calls it by another name (a page elsewhere that points its own name at
 * 127.0.0.1), nor other sites' pages, and looks up no path: every answer is one of a short list.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Answers, BadRequest } from './answers.ts'
import { appFile, contentSecurityPolicy, serverPage } from './page.ts'

const HOST = '127.0.0.1'
/** Bytes of a request's body. */
const MOST_BODY = 256 * 1024

const HEAD = {
  'Content-Security-Policy': `${contentSecurityPolicy("'self'", "'self'", "'self'")}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

export interface Studio {
  /** `http://127.0.0.1:7413/` */
  readonly url: string
  close(): Promise<void>
}

/** Starts the server. Port 0 takes any. `order`: an answer of `putpage order --json`. */
export async function startStudio(port: number, order?: object): Promise<Studio> {
  // Found missing now, not when the page is opened.
  const files = { page: serverPage(), script: appFile('studio.js'), style: appFile('studio.css') }
  const answers = new Answers(order)
  const server = createServer((request, response) => {
    answer(request, response, files, answers).catch((error) => {
      const bad = error instanceof BadRequest
      say(response, bad ? 400 : 500, 'text/plain', bad ? error.message : `the server failed: ${error instanceof Error ? error.message : String(error)}`)
    })
  })
  await listen(server, port)
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await answers.close()
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => resolve())
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: { readonly page: string; readonly script: string; readonly style: string },
  answers: Answers,
): Promise<void> {
  const refused = refusal(request)
  if (refused !== undefined) return say(response, 403, 'text/plain', refused)
  const url = new URL(request.url ?? '/', `http://${HOST}`)
  const value = (name: string): string => url.searchParams.get(name) ?? ''
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      answers.warm()
      return say(response, 200, 'text/html', files.page)
    case 'GET /studio.js':
      return say(response, 200, 'text/javascript', files.script)
    case 'GET /studio.css':
      return say(response, 200, 'text/css', files.style)
    case 'GET /api/model':
      return json(response, answers.model())
    case 'GET /api/verdicts':
      return json(response, answers.verdicts())
    case 'GET /api/order': {
      const order = answers.orderReport()
      return order ? json(response, order) : say(response, 404, 'text/plain', 'no order has been computed')
    }
    case 'GET /api/play':
      return say(
        response,
        200,
        'application/json',
        await answers.play({ scenario: value('scenario'), kernel: value('kernel'), with: value('with'), without: value('without') }),
      )
    case 'POST /api/search':
      return json(response, { batch: answers.start(await bodyOf(request)) })
    case 'POST /api/stop': {
      const body = await bodyOf(request)
      const name = typeof body === 'object' && body !== null && 'batch' in body ? String(body.batch) : ''
      return json(response, { stopped: answers.stop(name) })
    }
    case 'POST /api/book':
      return say(response, 200, 'application/json', await answers.book(await bodyOf(request)))
    case 'GET /api/news':
      return news(request, response, answers, value('batch'))
    default:
      return say(response, 404, 'text/plain', 'there is nothing here')
  }
}

/** Why a request is not answered; undefined if it may be. */
function refusal(request: IncomingMessage): string | undefined {
  const port = request.socket.localPort
  const own = [`${HOST}:${port}`, `localhost:${port}`]
  const { host, origin } = request.headers
  if (host === undefined || !own.includes(host)) return 'this server answers to 127.0.0.1 and localhost only'
  if (origin !== undefined && !own.some((name) => origin === `http://${name}`)) return 'another site may not ask this server'
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'another site may not ask this server'
  if (request.method === 'POST' && request.headers['content-type'] !== 'application/json') return 'only JSON may be posted'
  return undefined
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  await new Promise<void>((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      size += part.length
      // What is too much is read and dropped, so that the answer arrives; what is far too much is not.
      if (size <= MOST_BODY) parts.push(part)
      else if (size > 16 * MOST_BODY) request.destroy()
    })
    request.on('end', resolve)
    request.on('close', resolve)
    request.on('error', reject)
  })
  if (size > MOST_BODY) throw new BadRequest('the request is too large')
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new BadRequest('the request is not JSON')
  }
}

/** Server-sent events until the batch has ended or the page goes away. */
function news(request: IncomingMessage, response: ServerResponse, answers: Answers, batch: string): void {
  response.writeHead(200, { ...HEAD, 'Content-Type': 'text/event-stream; charset=utf-8' })
  const unhear = answers.hear(batch, (one) => {
    response.write(`data: ${JSON.stringify(one)}\n\n`)
    if (one.kind === 'end') response.end()
  })
  if (!unhear) {
    response.end(`data: ${JSON.stringify({ kind: 'end', stopped: true })}\n\n`)
    return
  }
  request.on('close', unhear)
}

function json(response: ServerResponse, value: unknown): void {
  say(response, 200, 'application/json', JSON.stringify(value))
}

function say(response: ServerResponse, status: number, type: string, text: string): void {
  if (response.headersSent) {
    response.end()
    return
  }
  response.writeHead(status, { ...HEAD, 'Content-Type': `${type}; charset=utf-8` })
  response.end(text)
}
