// A process touches its mapping of a device-dax instance while the instance is unbound. Nothing may be mapped any more when the
// struct pages go: a fault that finds the device alive has to end first.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { unregister_dev_dax } from '../kernel/drivers/dax/device.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'generic', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'dev_dax', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a page fault and munmap() of a device-dax mapping against the unbinding of the instance',
  bounds: '2 threads, 1 page, one mapping',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    program() {
      user_access(vma, true)
      munmap(vma)
    },
    unbind() {
      unregister_dev_dax(file, pgmap)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
    'nothing is mapped': () => vma.pte.kind === 'none',
  },
  sometimes: {
    'a fault ends after the device is dead': () => !dax_dev.alive && vma.pte.kind === 'present',
    'unbinding takes the mapping away': () => pgmap_array.entry === null && vma.linked,
  },
})
