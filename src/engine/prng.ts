/** Random numbers that are the same for the same seed, on every machine: sfc32 (C. Doty-Humphrey, PractRand). */
export class Prng {
  private a = 0
  private b = 0
  private c = 0
  private counter = 1

  /** A stream for each pair of seeds. */
  constructor(seed: number, stream: number) {
    this.restart(seed, stream)
  }

  restart(seed: number, stream: number): void {
    this.a = seed | 0
    this.b = Math.floor(seed / 2 ** 32) | 0
    this.c = stream | 0
    this.counter = 1
    // As the generator's author does after seeding: until every bit depends on every bit of the seed.
    for (let i = 0; i < 15; i++) this.next()
  }

  /** 32 random bits, as an integer from 0 to 2^32 - 1. */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** An integer from 0 to `bound - 1`; `bound` is small, so that all are as good as equally likely. */
  below(bound: number): number {
    return bound <= 1 ? 0 : Math.floor((this.next() / 2 ** 32) * bound)
  }
}
