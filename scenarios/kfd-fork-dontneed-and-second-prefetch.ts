// A process whose range is on an AMD GPU forks, gives the memory up (MADV_DONTNEED), which its child keeps, and asks for the range on the GPU again:
// the child's page is in the place where the range's page would go.
import { scenario, struct } from 'putpage/model'
import { kfd, SvmRangeBo, svm_migrate_init, svm_range_prefetch_to_vram } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
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
const child_mm = struct(Mm)
const child = struct(Vma, { mm: child_mm })

export default scenario({
  about: 'the page of a child of fork(), whose process gives its range up and asks for it on the GPU again; then the child exits',
  bounds: '1 thread, 1 device page, 2 ordinary pages, 2 processes, one call after the other',
  kernels: ['v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    svm_range_prefetch_to_vram()
    anon_vma.vmas[1] = child
    dup_mmap(vma, child)
  },
  threads: {
    process() {
      madvise_dontneed(vma)
      svm_range_prefetch_to_vram()
      exit_mmap(child)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the child alone has the page': () => vma.pte.kind === 'none' && child.pte.kind === 'device_private' && kfd.vram !== null,
  },
})
