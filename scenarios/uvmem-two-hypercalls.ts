// Two virtual CPUs of a secure guest ask for the same page at once: one has it brought in (H_SVM_PAGE_IN), the other out
// (H_SVM_PAGE_OUT). Both hold mmap_lock for reading; uvmem_lock keeps them apart.
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
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const pvt0 = struct(UvmemPagePvt)
const kvm = struct(Kvm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

/** What the hypercalls answered. */
class Answers {
  page_in = false
  page_out = false
}
const answers = struct(Answers)

export default scenario({
  about: 'H_SVM_PAGE_IN against H_SVM_PAGE_OUT of the same page of a secure guest',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one hypercall each',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    kvmppc_uvmem_init(pgmap, 1, pvt0, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
  },
  threads: {
    vcpu0() {
      answers.page_in = kvmppc_h_svm_page_in(vma, kvm)
    },
    vcpu1() {
      answers.page_out = kvmppc_h_svm_page_out(vma, kvm)
    },
  },
  finally: {
    'both succeed': () => answers.page_in && answers.page_out,
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the guest knows where its page is': () => (kvm.pfn.flag === 'uvmem') === (vma.pte.kind === 'device_private'),
    'the device page is in use if the guest says so': () => uvmem_page_is_free(device) === (kvm.pfn.flag !== 'uvmem'),
    'the data is the same': () => (vma.pte.kind === 'device_private' ? kvm.secure_data === 1 : vma.pte.page!.data === 1),
  },
  sometimes: {
    'the page stays in': () => answers.page_in && answers.page_out && kvm.pfn.flag === 'uvmem',
    'the page comes out again': () => answers.page_in && kvm.pfn.flag === 'mem',
  },
})
