// The process that runs a secure guest gives its memory up (MADV_DONTNEED) while the guest is switched off (KVM_PPC_SVM_OFF). The
// zap frees the page's private data without uvmem_lock, under which the other one uses them.
import { scenario, struct } from 'putpage/model'
import {
  Kvm,
  kvmppc_h_svm_page_in,
  kvmppc_uvmem_drop_pages,
  kvmppc_uvmem_init,
  UvmemPagePvt,
  uvmem_page_is_free,
} from '../kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
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
const pvt0 = struct(UvmemPagePvt)
const kvm = struct(Kvm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'MADV_DONTNEED of a page of a secure guest against the end of its secure mode',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
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
    zap() {
      madvise_dontneed(vma)
    },
    drop() {
      kvmppc_uvmem_drop_pages(vma, kvm, true)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => uvmem_page_is_free(device),
    'the guest has no secure page': () => kvm.pfn.flag !== 'uvmem',
  },
  sometimes: {
    'the page was dropped': () => pvt0.remove_gfn && vma.pte.kind === 'present',
    'the zap met the migration': () => vma.pte.kind === 'none' && device.held.migrate > 0,
  },
})
