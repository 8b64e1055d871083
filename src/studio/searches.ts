/** The searches of the studio: several at a time in workers, with news of each; any can be stopped. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { SearchNews, SearchQuestion } from './search-worker.ts'

const MOST_WORKERS = 4

export type Question = Omit<SearchQuestion, 'number'>

interface Job {
  readonly question: SearchQuestion
  readonly hear: (news: SearchNews) => void
}

interface Hand {
  readonly worker: Worker
  job: Job | undefined
}

export class Searches {
  private readonly hands: Hand[] = []
  private readonly waiting: Job[] = []
  private numbers = 0

  /** Starts a search as soon as a worker is free. Returns what stops it: nothing is heard of it afterwards. */
  ask(question: Question, hear: (news: SearchNews) => void): () => void {
    const job: Job = { question: { ...question, number: this.numbers++ }, hear }
    this.waiting.push(job)
    this.give()
    return () => this.stop(job)
  }

  /** Gets a worker ready before the first search: loading the model takes it some seconds. */
  warm(): void {
    if (this.hands.length === 0) this.newHand()
  }

  private stop(job: Job): void {
    const place = this.waiting.indexOf(job)
    if (place >= 0) this.waiting.splice(place, 1)
    const hand = this.hands.find((one) => one.job === job)
    if (!hand) return
    // A search looks at no message while it runs: the worker goes, and another comes.
    this.hands.splice(this.hands.indexOf(hand), 1)
    void hand.worker.terminate()
    this.give()
  }

  private give(): void {
    while (this.waiting.length > 0) {
      let free = this.hands.find((hand) => hand.job === undefined)
      if (!free) {
        if (this.hands.length >= Math.min(MOST_WORKERS, availableParallelism())) return
        free = this.newHand()
      }
      const job = this.waiting.shift() as Job
      free.job = job
      free.worker.postMessage(job.question)
    }
  }

  private newHand(): Hand {
    const hand: Hand = { worker: new Worker(new URL('./search-worker.js', import.meta.url)), job: undefined }
    hand.worker.on('message', (news: SearchNews) => {
      const { job } = hand
      if (!job || job.question.number !== news.number) return
      if (news.kind !== 'progress') hand.job = undefined
      job.hear(news)
      this.give()
    })
    hand.worker.on('error', (error) => {
      const { job } = hand
      this.hands.splice(this.hands.indexOf(hand), 1)
      job?.hear({ number: job.question.number, kind: 'error', message: `the search broke off: ${error instanceof Error ? error.message : String(error)}` })
      this.give()
    })
    this.hands.push(hand)
    return hand
  }

  /** Ends all workers. */
  async close(): Promise<void> {
    this.waiting.length = 0
    await Promise.all(this.hands.splice(0).map(({ worker }) => worker.terminate()))
  }
}
