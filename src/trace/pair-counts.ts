/** How often two small numbers met: a hash table of counters without a heap object a count. */

export class PairCounts {
  private keys = new Uint32Array(1 << 10)
  private values = new Uint32Array(1 << 10)
  private used = 0

  /** Adds one for (a, b), both below 65535. */
  add(a: number, b: number): void {
    const key = ((a << 16) | b) + 1
    let at = this.slot(key >>> 0)
    if (this.keys[at] === 0) {
      if (++this.used * 2 > this.keys.length) {
        this.grow()
        at = this.slot(key >>> 0)
      }
      this.keys[at] = key >>> 0
    }
    this.values[at]++
  }

  get(a: number, b: number): number {
    return this.values[this.slot((((a << 16) | b) + 1) >>> 0)]
  }

  /** All pairs that met. */
  *entries(): Iterable<{ readonly a: number; readonly b: number; readonly times: number }> {
    for (let at = 0; at < this.keys.length; at++) {
      if (this.keys[at] === 0) continue
      const key = this.keys[at] - 1
      yield { a: key >>> 16, b: key & 65535, times: this.values[at] }
    }
  }

  private slot(key: number): number {
    const mask = this.keys.length - 1
    let at = (Math.imul(key, 0x9e3779b1) >>> 12) & mask
    while (this.keys[at] !== 0 && this.keys[at] !== key) at = (at + 1) & mask
    return at
  }

  private grow(): void {
    const { keys, values } = this
    this.keys = new Uint32Array(keys.length * 2)
    this.values = new Uint32Array(keys.length * 2)
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue
      const at = this.slot(keys[i])
      this.keys[at] = keys[i]
      this.values[at] = values[i]
    }
  }
}
