// A page is pinned while the process forks: the pin must stay with the parent's page, and the child must not share it.
import { scenario, struct } from 'putpage/model'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { pin_user_pages_fast } from '../kernel/mm/gup.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const ram0 = struct(Page)
const ram1 = struct(Page)
const mm = struct(Mm)
const vma = struct(Vma, { mm })
const child_mm = struct(Mm)
const child = struct(Vma, { mm: child_mm })

/** What the thread that pins has got. */
class Pinned {
  page: Page | null = null
}
const pinned = struct(Pinned)

export default scenario({
  about: 'pin_user_pages_fast() for writing against fork()',
  bounds: '2 threads, 2 ordinary pages, one pin that is kept',
  setup() {
    anon_vma.vmas[0] = vma
    anon_vma.vmas[1] = child
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    handle_mm_fault(vma, true)
    ram0.data = 1
  },
  threads: {
    pin() {
      pinned.page = pin_user_pages_fast(vma)
    },
    fork() {
      dup_mmap(vma, child)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(ram0) + held_in_passing(ram1) === 0,
    "the pinned page is the parent's": () => pinned.page !== null && vma.pte.page === pinned.page,
    'the child does not share it': () => child.pte.page !== pinned.page,
  },
  sometimes: {
    'the page is pinned while fork() copies': () => ram0.held.pin > 0 && mm.write_protect_seq === 1,
    'the child gets a copy': () => child.pte.kind === 'present' && child.pte.write,
    'the child shares the page': () => child.pte.kind === 'present' && !child.pte.write,
  },
})
