// The ultravisor does not give a page back: who touches it gets SIGBUS, and the page stays where it is, with the references it had.
import { expect, scenario, struct } from 'putpage/model'
import { Kvm, kvmppc_h_svm_page_in, kvmppc_uvmem_free, kvmppc_uvmem_init, UvmemPagePvt, ultravisor } from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
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
  about: 'a page of a secure guest that the ultravisor may not give back, then the end of the guest and of the module',
  bounds: '1 thread, 1 device page, 2 ordinary pages, at most one failed call of the ultravisor',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    kvmppc_uvmem_init(pgmap, 1, pvt0, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    kvmppc_h_svm_page_in(vma, kvm)
    ultravisor.page_out_fails = true
  },
  threads: {
    guest() {
      const data = user_load(vma)
      expect(data === 1 || data === -1, 'the data come back, or SIGBUS does')
      exit_mmap(vma)
      kvmppc_uvmem_free()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the page comes back': () => vma.pte.kind === 'present' && device.held.pte === 0,
    'the page is left where it was': () => vma.pte.kind === 'device_private' && !ram0.buddy === false && device.lock.owner === null,
    'the pgmap is released': () => pgmap.ref.released,
  },
})
