/** What each task was seen to execute, on any page: whether a call of it can have begun before the recording, and whether it is over. */
import type { EventBatch } from './page-event.ts'
import type { SiteFrames } from './source.ts'

/** What is looked at of a batch. */
export type TaskRows = Pick<EventBatch, 'length' | 'letter' | 'context' | 'pid' | 'time'>

interface Task {
  /** Modelled functions that were in all its stacks so far. */
  readonly constant: Set<string>
  /** Those that no longer are, with the time of the first stack without them. */
  readonly left: Map<string, number>
  /** The last stack's site and time. */
  site: number
  time: number
}

export class TaskFrames {
  private readonly named: (frame: string) => readonly string[]
  private readonly tasks = new Map<number, Task>()
  private readonly functions: (ReadonlySet<string> | undefined)[] = []

  /** `named`: the modelled functions a frame may be. */
  constructor(named: (frame: string) => readonly string[]) {
    this.named = named
  }

  /** Events in the order of the recording, with the sites of their letters (0: no stack). `irq`: bits of the context in which it is not the task that acts. */
  see(batch: TaskRows, sites: Int32Array, tables: SiteFrames, irq: number): void {
    let pid = -1
    let task: Task | undefined
    const { letter, context, pid: pids, time: times, length } = batch
    for (let row = 0; row < length; row++) {
      const site = sites[letter[row]]
      if (site === 0 || (context[row] & irq) !== 0) continue
      if (pids[row] !== pid) {
        pid = pids[row]
        task = this.tasks.get(pid)
      }
      const time = times[row]
      if (!task) {
        task = { constant: new Set(this.inSite(site, tables)), left: new Map(), site, time }
        this.tasks.set(pid, task)
        continue
      }
      task.time = time
      if (task.site === site) continue
      task.site = site
      if (task.constant.size === 0) continue
      const now = this.inSite(site, tables)
      for (const name of task.constant)
        if (!now.has(name)) {
          task.constant.delete(name)
          task.left.set(name, time)
        }
    }
  }

  /** Whether the task was in calls of the function only, from the beginning of the recording to the time. */
  alwaysIn(pid: number, name: string, time: number): boolean {
    const task = this.tasks.get(pid)
    if (!task || task.constant.has(name)) return true
    const left = task.left.get(name)
    return left !== undefined && left > time
  }

  /** Whether the last thing seen of the task is later than the time, and not in a call of the function. */
  leftAfter(pid: number, name: string, time: number): boolean {
    const task = this.tasks.get(pid)
    return task !== undefined && task.time > time && this.functions[task.site]?.has(name) === false
  }

  private inSite(site: number, tables: SiteFrames): ReadonlySet<string> {
    let found = this.functions[site]
    if (!found) {
      found = new Set(tables.siteFrames(site).flatMap((frame) => this.named(frame)))
      this.functions[site] = found
    }
    return found
  }
}
