// Two virtual CPUs of a secure guest have the same page brought in (H_SVM_PAGE_IN) at once, and there are secure pages enough for both. Only
// uvmem_lock keeps the second from looking before the first has said where the page is.
import { scenario, struct } from 'putpage/model'
import { Kvm, kvmppc_h_svm_page_in, kvmppc_uvmem_init, UvmemPagePvt, uvmem_page_is_free } from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device0 = struct(Page)
const device1 = struct(Page)
const ram = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const pvt0 = struct(UvmemPagePvt)
const pvt1 = struct(UvmemPagePvt)
const kvm = struct(Kvm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

/** What the hypercalls answered. */
class Answers {
  first = false
  second = false
}
const answers = struct(Answers)

export default scenario({
  about: 'two H_SVM_PAGE_IN of the same page of a secure guest',
  bounds: '2 threads, 2 device pages, 1 ordinary page, one hypercall each',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    kvmppc_uvmem_init(pgmap, 2, pvt0, pvt1)
    handle_mm_fault(vma, true)
    ram.data = 1
  },
  threads: {
    vcpu0() {
      answers.first = kvmppc_h_svm_page_in(vma, kvm)
    },
    vcpu1() {
      answers.second = kvmppc_h_svm_page_in(vma, kvm)
    },
  },
  finally: {
    'one succeeds, and one finds the page there': () => answers.first !== answers.second,
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram) === 0,
    'the guest has one secure page': () => kvm.pfn.flag === 'uvmem' && uvmem_page_is_free(device0) !== uvmem_page_is_free(device1),
    'the data is the same': () => vma.pte.kind === 'device_private' && kvm.secure_data === 1,
  },
  sometimes: {
    'the first succeeds': () => answers.first,
    'the second succeeds': () => answers.second,
  },
})
