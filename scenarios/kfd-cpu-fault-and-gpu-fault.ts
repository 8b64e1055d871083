// A page comes back from an AMD GPU by a CPU fault, which still holds the device page for a moment; the GPU faults on it (XNACK), and the driver
// migrates it there again: to the same device page.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import {
  kfd_release_worker,
  SvmRangeBo,
  svm_migrate_init,
  svm_range_prefetch_to_vram,
  svm_range_restore_pages,
} from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const svm_bo0 = struct(SvmRangeBo)
const svm_bo1 = struct(SvmRangeBo)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

class Ended {
  cpu = false
  gpu = false
}
const ended = struct(Ended)

export default scenario({
  about: 'a CPU fault on a page of the GPU, and a GPU fault on the same page',
  bounds: '3 threads, 1 device page, 2 ordinary pages, one fault of the GPU',
  kernels: ['v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    svm_range_prefetch_to_vram()
  },
  threads: {
    cpu() {
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
      ended.cpu = true
    },
    gpu() {
      svm_range_restore_pages()
      ended.gpu = true
    },
    worker() {
      kfd_release_worker(() => ended.cpu && ended.gpu)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the page comes back first': () => vma.pte.kind === 'present' && device._mapcount === 0,
    'the page is on the GPU again': () => vma.pte.kind === 'device_private' && device.data === 1,
  },
})
