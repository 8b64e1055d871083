/**
 * Books of kernels as they were kept, without the compiler of the model: it takes longer to load than many a trace to read. What is not kept is asked
 * of a thread that has the model.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { RoleAutomaton } from '../roles/automaton.ts'
import type { BookPages, RoleBook } from '../roles/book.ts'
import { keptBook } from '../roles/kept-book.ts'
import { readKeptBook } from './book-files.ts'

/** What is asked of the thread. */
export interface BookQuestion {
  readonly kernel: string
  readonly asked: readonly { readonly name: string; readonly type: string }[]
}

export type BookAnswer = { readonly pages: BookPages } | { readonly error: string }

/** No question takes so long: the thread has died. */
const PATIENCE = 10 * 60 * 1000

let thread: { readonly worker: Worker; readonly port: MessagePort; readonly flag: Int32Array } | undefined

/** Waits for the answer: nothing else can go on without it. */
function ask(question: BookQuestion): BookPages {
  if (!thread) {
    const { port1, port2 } = new MessageChannel()
    const flag = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(new URL('./book-worker.js', import.meta.url), { workerData: { port: port2, flag }, transferList: [port2] })
    worker.unref()
    thread = { worker, port: port1, flag }
  }
  const { port, flag } = thread
  Atomics.store(flag, 0, 0)
  port.postMessage(question)
  Atomics.wait(flag, 0, 0, PATIENCE)
  const answer = receiveMessageOnPort(port)?.message as BookAnswer | undefined
  if (!answer || 'error' in answer) throw new Error(`[putpage internal bug] the model cannot be read: ${answer?.error ?? 'no answer'}`)
  return answer.pages
}

const books = new Map<string, RoleBook>()
/** Those the model was asked for. */
const fetched = new Set<string>()

/** Whether all that was asked of a book so far was kept: then another thread can read it for itself. */
export function isKept(kernel: string): boolean {
  return books.has(kernel) && !fetched.has(kernel)
}

/** The book of a preset. `asking` is called before the model is asked, which may take some seconds. */
export function bookOf(kernel: string, asking: (kernel: string) => void = () => {}): RoleBook {
  const known = books.get(kernel)
  if (known) return known
  const fetch = (asked: BookQuestion['asked']): BookPages => {
    asking(kernel)
    fetched.add(kernel)
    return ask({ kernel, asked })
  }
  let pages = readKeptBook(kernel) ?? fetch([])
  let book = keptBook(kernel, pages, notThere)
  // Who follows an automaton knows it by being the same object, whatever is fetched later.
  const automata = new Map<string, RoleAutomaton | undefined>()
  const made: RoleBook = {
    kernel,
    named: (frame) => book.named(frame),
    isReference: (name) => book.isReference(name),
    isRole: (name) => book.isRole(name),
    automaton(name, type) {
      const key = `${type} ${name}`
      if (!automata.has(key)) {
        if (pages.automata[type]?.[name] === undefined) {
          pages = fetch([{ name, type }])
          book = keptBook(kernel, pages, notThere)
        }
        automata.set(key, book.automaton(name, type))
      }
      return automata.get(key)
    },
    reaches: (from, to, type) => book.reaches(from, to, type),
    get waiters() {
      return book.waiters
    },
  }
  books.set(kernel, made)
  return made
}

function notThere(): never {
  throw new Error('[putpage internal bug] a book was asked for what the model does not have')
}
