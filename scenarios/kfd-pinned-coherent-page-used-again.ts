// The memory of an AMD GPU that is one with the CPU's (xGMI) is coherent: a process can put a page of it into a pipe. It gives the page up then, and
// asks for its range on the GPU again: the pipe still has the page.
import { scenario, struct } from 'putpage/model'
import { kfd, SvmRangeBo, svm_migrate_init, svm_range_prefetch_to_vram } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { generic_pipe_buf_release, vmsplice_to_pipe } from '../kernel/fs/splice.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'coherent', pages: [device, null] })
const svm_bo0 = struct(SvmRangeBo)
const svm_bo1 = struct(SvmRangeBo)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'a coherent page of a range on the GPU is in a pipe when it is given up and the range goes to the GPU again',
  bounds: '1 thread, 1 device page, 2 ordinary pages',
  // Coherent device memory is of v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
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
    process() {
      const got = vmsplice_to_pipe(vma)
      madvise_dontneed(vma)
      svm_range_prefetch_to_vram()
      if (got !== null) generic_pipe_buf_release(got)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the pipe alone has the page': () => device.held.gup > 0 && vma.pte.kind === 'none' && kfd.vram !== null,
  },
})
