// QEMU unmaps the memory of a secure guest while the ultravisor asks for its page back (H_SVM_PAGE_OUT). mmap_lock keeps the two
// apart: for writing there, for reading here.
import { scenario, struct } from 'putpage/model'
import {
  Kvm,
  kvmppc_h_svm_page_in,
  kvmppc_h_svm_page_out,
  kvmppc_uvmem_init,
  UvmemPagePvt,
  uvmem_page_is_free,
} from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { munmap } from '../kernel/mm/mmap.ts'
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
  about: 'munmap() of a page of a secure guest against H_SVM_PAGE_OUT',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one hypercall',
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
    qemu() {
      munmap(vma)
    },
    vcpu() {
      kvmppc_h_svm_page_out(vma, kvm)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => uvmem_page_is_free(device),
    'nothing is mapped': () => vma.pte.kind === 'none' && ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'the page is out before it is unmapped': () => vma.pte.kind === 'present' && kvm.pfn.flag === 'mem',
    'the hypercall comes when nothing is mapped': () => !vma.linked && mm.mmap_lock.readers[1],
  },
})
