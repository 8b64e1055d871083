// Two virtual CPUs of a secure guest ask to share the same page. Both mark the page's private data under uvmem_lock, and both touch
// the page to bring it back, which frees those data; since v6.1 after that lock was dropped.
import { scenario, struct } from 'putpage/model'
import {
  Kvm,
  kvmppc_h_svm_page_in,
  kvmppc_share_page,
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

export default scenario({
  about: 'two requests to share one page of a secure guest',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one request each',
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
    vcpu0() {
      kvmppc_share_page(vma, kvm)
    },
    vcpu1() {
      kvmppc_share_page(vma, kvm)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => uvmem_page_is_free(device),
    'the page is shared': () => kvm.pfn.flag === 'shared' && vma.pte.kind === 'present',
  },
  sometimes: {
    'a share finds the page in secure memory': () => pvt0.skip_page_out,
    'one shares what the other has shared': () => kvm.pfn.flag === 'shared' && vma.pte.kind === 'present' && vma.pte.page!.held.gup > 0,
  },
})
