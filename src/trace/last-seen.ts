/** When each task was last seen in each call: whether the call that took a reference has returned. */
import { roomFor } from './columns.ts'
import { Pairs } from './pairs.ts'

export class LastSeen {
  private readonly pairs = new Pairs()
  private times = new Float64Array(256)
  private pid = -1
  private call = -1
  private number = 0

  /** An event of the task in a call, by number; 0: the stack does not tell. Asked once an event. */
  sign(pid: number, call: number, time: number): void {
    if (pid !== this.pid || call !== this.call) {
      this.pid = pid
      this.call = call
      const { size } = this.pairs
      this.number = this.pairs.number(pid, call)
      this.times = roomFor(this.times, this.number + 1)
      if (this.number === size) this.times[size] = time
    }
    if (time > this.times[this.number]) this.times[this.number] = time
  }

  /** Another call the task was seen in after a time, and the last time it was seen at all. */
  after(pid: number, call: number, time: number): { readonly otherCall: number | undefined; readonly last: number } {
    let last = Number.NEGATIVE_INFINITY
    let otherCall: number | undefined
    for (let i = 0; i < this.pairs.size; i++) {
      if (this.pairs.firsts[i] !== pid) continue
      const own = this.pairs.seconds[i]
      if (this.times[i] > last) last = this.times[i]
      if (this.times[i] > time && call !== 0 && own !== call && own !== 0) otherCall = own
    }
    return { otherCall, last }
  }
}
