// A process gives the memory of a range on an AMD GPU up (MADV_DONTNEED), and asks for the range on the GPU again: what it reads there is zeros.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { kfd, SvmRangeBo, svm_migrate_init, svm_range_prefetch_to_vram } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
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

export default scenario({
  about: 'MADV_DONTNEED of a range on the GPU, which then goes there again',
  bounds: '1 thread, 1 device page, 2 ordinary pages',
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
    process() {
      madvise_dontneed(vma)
      svm_range_prefetch_to_vram()
      const data = user_load(vma)
      expect(data === 0, 'memory that was given up reads as zeros')
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the page is on the GPU, and empty to the process': () => vma.pte.kind === 'none' && kfd.vram !== null && device.data === 1,
  },
})
