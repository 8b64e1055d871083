// A process with a page on the GPU has forked, and exits: its memory goes first, then its file of the device, of which the child has closed its
// copy. The child still has the page, and touches it.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { dmem, nouveau_dmem_chunk_alloc } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { NouveauSvmm, nouveau_svmm_bind, nouveau_svmm_fini } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const svmm = struct(NouveauSvmm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })
const child_mm = struct(Mm)
const child = struct(Vma, { mm: child_mm })

export default scenario({
  about: 'a child of fork() touches a page on the GPU whose process exits',
  bounds: '2 threads, 1 device page, 2 ordinary pages, 2 processes',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    nouveau_dmem_chunk_alloc(pgmap, 1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    nouveau_svmm_bind(svmm, vma)
    anon_vma.vmas[1] = child
    dup_mmap(vma, child)
  },
  threads: {
    parent() {
      exit_mmap(vma)
      nouveau_svmm_fini(svmm)
    },
    child() {
      const data = user_load(child)
      expect(data === 1, 'the child sees the data')
      exit_mmap(child)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => dmem.free_pages === device,
    'the ordinary pages are free': () => ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'the child alone has the page': () => vma.pte.kind === 'none' && child.pte.kind === 'device_private',
    'the page comes back for both': () => vma.pte.kind === 'present' && child.pte.kind === 'present',
  },
})
