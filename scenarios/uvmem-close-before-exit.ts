// The files of a secure guest are closed while its memory is still mapped: struct kvm goes, and device pages that lead to it stay
// in the page table of the process. The zap that comes later writes through the pointer.
import { scenario, struct } from 'putpage/model'
import { kvm_destroy_vm } from '../kernel/arch/powerpc/kvm/book3s_hv.ts'
import { Kvm, kvmppc_h_svm_page_in, kvmppc_uvmem_init, UvmemPagePvt, uvmem_page_is_free } from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
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
  about: 'the files of a secure guest are closed, then the process exits that still maps a page of it',
  bounds: '1 thread, 1 device page, 2 ordinary pages',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    kvmppc_uvmem_init(pgmap, 1, pvt0, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    kvmppc_h_svm_page_in(vma, kvm)
  },
  threads: {
    process() {
      kvm_destroy_vm(kvm)
      exit_mmap(vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => uvmem_page_is_free(device),
  },
  sometimes: {
    'the page is freed after the guest is gone': () => kvm.secure_data === 0 && device.held.pte === 0,
  },
})
