/** Where workers wait for one another. */

/** Arrivals and generation, in a shared array of two words. */
export class Rendezvous {
  private readonly words: Int32Array
  private readonly parties: number

  constructor(words: Int32Array, parties: number) {
    this.words = words
    this.parties = parties
  }

  /** Waits until all parties have come; the last one does `decide` before anybody goes on. */
  meet(decide: () => void): void {
    const generation = Atomics.load(this.words, 1)
    if (Atomics.add(this.words, 0, 1) + 1 === this.parties) {
      Atomics.store(this.words, 0, 0)
      decide()
      Atomics.add(this.words, 1, 1)
      Atomics.notify(this.words, 1)
      return
    }
    while (Atomics.load(this.words, 1) === generation) Atomics.wait(this.words, 1, generation)
  }
}
