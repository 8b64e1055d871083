// A memory error is reported in a device-private page that is in use. Nobody can be told, as nobody but the driver knows what it
// holds; the handler must find that out. It looks for a file first, and takes an anonymous page's mapping for one.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { memory_failure } from '../kernel/mm/memory-failure.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'memory_failure() of a device-private page that a process has',
  bounds: '1 thread, 1 device page',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    dmirror_migrate_to_device(vma)
  },
  threads: {
    mce() {
      memory_failure(device)
    },
  },
  sometimes: { 'the handler holds the pgmap': () => pgmap.ref.percpu_count > 1 },
})
