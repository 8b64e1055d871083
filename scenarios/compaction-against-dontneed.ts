// Compaction isolates an ordinary page that its process gives up: the last put may be either's, and a page that is freed while it
// is on the LRU must leave it first.
import { scenario, struct } from 'putpage/model'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { cc, compact_page } from '../kernel/mm/compaction.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { lru_lists } from '../kernel/mm/swap.ts'

const ram = struct(Page)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'isolation of an ordinary page by compaction against MADV_DONTNEED',
  bounds: '2 threads, 1 ordinary page, one isolation',
  setup() {
    lru_lists.tracked = true
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    handle_mm_fault(vma, true)
  },
  threads: {
    process() {
      madvise_dontneed(vma)
    },
    compaction() {
      compact_page(ram)
    },
  },
  finally: {
    'the page is free, and not on the LRU': () => ram.buddy && !ram.lru && held_in_passing(ram) === 0,
  },
  sometimes: {
    'compaction has the page that is zapped': () => cc.nr_migratepages === 1 && vma.pte.kind === 'none',
    'compaction comes too late': () => ram.buddy && cc.total_migrate_scanned === 0,
    'the page is free before compaction looks closer': () => ram.buddy && cc.total_migrate_scanned === 1 && cc.nr_migratepages === 0,
  },
})
