// The process of one secure guest exits while another guest's page goes to secure memory: the only device page is freed and
// allocated again. kvmppc_uvmem_page_free() clears the page's bit, and reads zone_device_data after that.
import { scenario, struct } from 'putpage/model'
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
const pvt1 = struct(UvmemPagePvt)
const kvm0 = struct(Kvm)
const kvm1 = struct(Kvm)
const mm0 = struct(Mm)
const mm1 = struct(Mm)
const vma0 = struct(Vma, { mm: mm0 })
const vma1 = struct(Vma, { mm: mm1 })

export default scenario({
  about: 'the exit of a process with a secure guest against the allocation of a device page for another guest, which exits then',
  bounds: '2 threads, 2 guests, 1 device page, 2 ordinary pages',
  shows: ['uvmem-publish-before-detach'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    kvmppc_uvmem_init(pgmap, 1, pvt0, pvt1)
    handle_mm_fault(vma0, true)
    handle_mm_fault(vma1, true)
    kvmppc_h_svm_page_in(vma0, kvm0)
  },
  threads: {
    exit() {
      exit_mmap(vma0)
    },
    page_in() {
      kvmppc_h_svm_page_in(vma1, kvm1)
      exit_mmap(vma1)
    },
  },
  always: {
    'a mapped device page has data of a guest': () => vma1.pte.kind !== 'device_private' || device._mapcount === 0 || device.zone_device_data.pvt !== null,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => uvmem_page_is_free(device),
  },
  sometimes: {
    'the page goes to the other guest': () => vma1.pte.kind === 'device_private',
    'the other guest finds no page': () => kvm0.pfn.flag === 'mem' && vma1.pte.kind === 'present' && device.held.pte === 0,
  },
})
