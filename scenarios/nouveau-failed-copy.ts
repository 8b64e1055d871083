// The GPU fails to copy a page: on its way to the device, or when the CPU touches it there.
import { type Int, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { dmem, nouveau_dmem_chunk_alloc } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { NouveauSvmm, nouveau_svmm_bind } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
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
const svmm = struct(NouveauSvmm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

/** What the process saw when it tried again after SIGBUS. */
class Seen {
  first: Int<-1, 3> = 0
  again: Int<-1, 3> = 0
}
const seen = struct(Seen)

export default scenario({
  about: 'a page goes to the device and comes back, and the copy may fail',
  bounds: '1 thread, 1 device page, 2 ordinary pages, at most two failed copies',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    nouveau_dmem_chunk_alloc(pgmap, 1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmem.copies_fail = true
  },
  threads: {
    process() {
      nouveau_svmm_bind(svmm, vma)
      seen.first = user_load(vma)
      if (seen.first === -1) seen.again = user_load(vma)
      exit_mmap(vma)
    },
  },
  always: {
    'a mapped page is anonymous': () => vma.pte.kind !== 'present' || vma.pte.page!.anon,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'who is told of a failure does not find other data later': () => seen.first !== -1 || seen.again === 1 || seen.again === -1,
    'the device page is free': () => dmem.free_pages === device,
    'the ordinary pages are free': () => ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'the page does not get to the device': () => seen.first === 1 && ram1.data !== 1,
    'the page cannot come back': () => seen.first === -1,
    'the page comes back': () => seen.first === 1,
  },
})
