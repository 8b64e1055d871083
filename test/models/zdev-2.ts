// The hand-written Promela oracle zdev.pml with one shared access a step: test/export/zdev-atomic.pml, NGUP=2 NPAGE=2 LIM=1.
import { atomic, block_until, choose, expect, type Int, identical, scenario, structs } from 'putpage/model'

class Page {
  ref: Int<0, 5> = 2
  pte = true
  busy = false
}
const pages = structs(Page, 2)

function gup(): void {
  let pg: Int<0, 1> = 0
  atomic(() => {
    pg = choose(2)
  })
  while (true) {
    let present = false
    atomic(() => {
      present = pages[pg].pte
      if (!present) pg = choose(2)
    })
    if (!present) continue
    let r: Int<0, 5> = 0
    atomic(() => {
      r = pages[pg].ref
      if (r === 0) pg = choose(2)
    })
    if (r === 0) continue
    let got = false
    // LIM is 1: a lost compare-and-swap gives up.
    atomic(() => {
      got = pages[pg].ref === r
      if (got) pages[pg].ref = r + 1
      else pg = choose(2)
    })
    if (!got) continue
    const again = pages[pg].pte
    if (again) atomic(() => expect(!pages[pg].busy, 'nobody touches a page that is reused'))
    atomic(() => {
      pages[pg].ref -= 1
      pg = choose(2)
    })
  }
}

function driver(): void {
  let pg: Int<0, 1> = 0
  atomic(() => {
    pg = choose(2)
  })
  while (true) {
    pages[pg].pte = false
    atomic(() => {
      pages[pg].ref -= 1
    })
    block_until(() => pages[pg].ref === 1)
    pages[pg].busy = true
    pages[pg].busy = false
    atomic(() => {
      pages[pg].ref += 1
    })
    atomic(() => {
      pages[pg].pte = true
      pg = choose(2)
    })
  }
}

export default scenario({
  about: 'GUP against unmap and a driver that waits for the count to be 1',
  bounds: '3 threads, 2 pages',
  threads: { gup: identical(2, gup), driver },
  sometimes: { 'a page is reused': () => pages[0].busy },
})
