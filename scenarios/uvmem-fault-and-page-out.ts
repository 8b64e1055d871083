// The hypervisor touches a page of a secure guest (a CPU fault) while the ultravisor asks to page it out (H_SVM_PAGE_OUT).
import { expect, scenario, struct } from 'putpage/model'
import {
  Kvm,
  kvmppc_h_svm_page_in,
  kvmppc_h_svm_page_out,
  kvmppc_uvmem_init,
  UvmemPagePvt,
  uvmem_page_is_free,
} from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
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
  about: 'a CPU fault on a page of a secure guest against H_SVM_PAGE_OUT of it',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one page-out',
  shows: ['fault-without-reference'],
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
    hypervisor() {
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    },
    page_out() {
      kvmppc_h_svm_page_out(vma, kvm)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => uvmem_page_is_free(device),
    'the page came back once': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
    'the guest has no secure page': () => kvm.pfn.flag === 'mem',
  },
  sometimes: {
    'the fault waits while the page is paged out': () => kvm.uvmem_lock.place[0] > 0 && vma.pte.kind === 'migration',
    'the page-out waits while the fault brings the page back': () => kvm.uvmem_lock.place[1] > 0 && vma.pte.kind === 'migration',
  },
  unreachable: {
    'the fault waits while the page is paged out': {
      'v7.3': 'a fault that waits for uvmem_lock holds the page lock, so that the page-out passes the page by',
    },
  },
})
