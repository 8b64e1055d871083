// Ten different mistakes, one a line. The compiler must name them all in one run.
import { type Int, scenario, struct } from 'putpage/model'

class Page {
  _refcount: number = 0
  lock: any = null
  ref: Int<0, 3> = 0
  used = false
}
const page = struct(Page)

function put(): void {
  page.reff = 0
  let count = page.ref
  count += 1
  var late = 1
  if (page.ref == 0) page.used = true
  const other = new Page()
  throw 'out of pages'
}

async function later(): Promise<void> {
  page.used = true
}

function forever(): void {
  forever()
}

export default scenario({
  about: 'mistakes',
  bounds: '2 threads',
  threads: {
    put() {
      put()
    },
    later() {
      later()
    },
    forever() {
      forever()
    },
  },
  sometimes: { used: () => page.used },
})
