/** Holds back what belongs to a page until it is certain that the page is a device's: replays tell pages before that. */
import type { DevicePage } from './life.ts'

export class DeviceGate<T> {
  private readonly held = new Map<number, { readonly page: DevicePage; readonly things: T[] }>()
  private readonly through: (page: DevicePage, thing: T) => void
  private readonly certain: (page: DevicePage) => boolean | undefined

  /** `through` gets what belongs to device pages, that of one page in order. */
  constructor(certain: (page: DevicePage) => boolean | undefined, through: (page: DevicePage, thing: T) => void) {
    this.certain = certain
    this.through = through
  }

  /** `make` is called only if the thing is not dropped; what it gives may be kept. */
  pass(page: DevicePage, make: () => T): void {
    const certain = this.certain(page)
    if (certain === false) return
    if (certain) {
      this.release(page)
      this.through(page, make())
      return
    }
    const known = this.held.get(page.index)
    if (known) known.things.push(make())
    else this.held.set(page.index, { page, things: [make()] })
  }

  /** Whether what belongs to the page need not be held back; what was goes through now. */
  open(page: DevicePage): boolean {
    if (this.certain(page) !== true) return false
    this.release(page)
    return true
  }

  private release(page: DevicePage): void {
    const known = this.held.size > 0 ? this.held.get(page.index) : undefined
    if (!known) return
    this.held.delete(page.index)
    for (const thing of known.things) this.through(page, thing)
  }

  /** At the end: what is still held back, of pages that are devices' after all. */
  end(device: (page: { readonly index: number; readonly pfn: number }) => boolean): void {
    for (const { page } of [...this.held.values()]) if (device(page)) this.release(page)
    this.held.clear()
  }
}
