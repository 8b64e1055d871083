// The ultravisor refuses a page: the device page that was allocated for it has to be given back, or it is lost, and the module can
// never be unloaded.
import { scenario, struct } from 'putpage/model'
import { Kvm, kvmppc_h_svm_page_in, kvmppc_uvmem_free, kvmppc_uvmem_init, UvmemPagePvt, ultravisor } from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const pvt0 = struct(UvmemPagePvt)
const kvm = struct(Kvm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'a page of a secure guest that the ultravisor may refuse, then the end of the guest and of the module',
  bounds: '1 thread, 1 device page, 2 ordinary pages, at most one failed call of the ultravisor',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    kvmppc_uvmem_init(pgmap, 1, pvt0, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    ultravisor.page_in_fails = true
  },
  threads: {
    guest() {
      kvmppc_h_svm_page_in(vma, kvm)
      exit_mmap(vma)
      kvmppc_uvmem_free()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the page goes to secure memory': () => vma.pte.kind === 'device_private',
    'the ultravisor refused the page': () => vma.pte.kind === 'present' && kvm.pfn.flag !== 'none',
    'the pgmap is released': () => pgmap.ref.released,
  },
})
