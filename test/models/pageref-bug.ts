// The transition system of the hand-written Promela oracle pageref.pml: get, put, alloc and free of a device page,
// one shared access a step. A CPU keeps its references between operations.
import { atomic, choose, expect, type Int, identical, scenario, step, structs } from 'putpage/model'

const PAGES = 3

class Page {
  ref: Int<0, 3> = 0
  onfree = true
  mapping = false
}
const pages = structs(Page, 3)

function cpu(): void {
  let held: Int<0, 7> = 0
  while (true) {
    const pg = choose(PAGES)
    let r: Int<0, 3> = 0
    let take = false
    let got = false
    if ((held & (1 << pg)) !== 0) {
      step()
      let last = false
      atomic(() => {
        expect(pages[pg].ref > 0, 'a put has a reference to give back')
        pages[pg].ref -= 1
        held -= 1 << pg
        last = pages[pg].ref === 0
      })
      if (last) {
        pages[pg].mapping = false
        atomic(() => {
          expect(pages[pg].ref === 0 && !pages[pg].onfree, 'a page is freed once')
          pages[pg].onfree = true
        })
      }
      continue
    }
    atomic(() => {
      if (pages[pg].onfree && choose(2) === 1) {
        pages[pg].onfree = false
        take = true
      } else r = pages[pg].ref
    })
    if (take) {
      pages[pg].mapping = true
      atomic(() => {
        expect(pages[pg].ref === 0, 'an allocated page has no reference')
        pages[pg].ref = 1
        held += 1 << pg
      })
    } else {
      while (r !== 0 && !got) {
        atomic(() => {
          pages[pg].ref = r + 1
          held += 1 << pg
          got = true
        })
      }
      if (!got) continue
    }
    // One access, whoever got the page.
    atomic(() => expect(!pages[pg].onfree, 'a page in use is not free'))
  }
}

export default scenario({
  about: 'get, put, alloc and free of a device page, with a lost update',
  bounds: '3 threads, 3 pages',
  threads: { cpu: identical(3, cpu) },
  sometimes: { 'a page is live': () => pages[0].ref > 0 },
})
