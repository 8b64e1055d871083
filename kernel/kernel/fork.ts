// fork() of a process with one VMA: kernel/fork.c, and copy_page_range() of mm/memory.c.
import { atomic } from 'putpage/model'
import { get_page, put_page } from '../include/linux/mm.ts'
import { GUP_PIN_COUNTING_BIAS, type Mm, type Page, type Pte, type Vma } from '../include/linux/mm_types.ts'
import { hand_over, page_ref_count } from '../include/linux/page_ref.ts'
import { down_write, up_write } from '../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { mem_cgroup_charge } from '../mm/memcontrol.ts'
import { vm_normal_page } from '../mm/memory.ts'
import { alloc_page } from '../mm/page_alloc.ts'
import { page_add_new_anon_rmap, page_add_rmap } from '../mm/rmap.ts'
import { lru_cache_add } from '../mm/swap.ts'
import { change } from '../switches.ts'
import { exit_mmap } from './exit.ts'

/** mmget_not_zero(): the address space stays until mmput(), if it is not at its end already. @primitive */
export function mmget_not_zero(mm: Mm): boolean {
  return atomic(() => {
    const got = mm.mm_users > 0
    if (got) mm.mm_users += 1
    return got
  })
}

/** mmput() of a process with one VMA, and mmput_async(), which leaves exit_mmap() to a worker: the last one ends the address space. True for it. */
export function mmput(vma: Vma): boolean {
  const last = mmput_testzero(vma.mm)
  if (last) exit_mmap(vma)
  return last
}

/** atomic_dec_and_test() of mmput(): true for who ends the address space. @primitive */
export function mmput_testzero(mm: Mm): boolean {
  return atomic(() => {
    mm.mm_users -= 1
    return mm.mm_users === 0
  })
}

/** is_cow_mapping(): anonymous memory of this model is private, files are shared. */
function is_cow_mapping(vma: Vma): boolean {
  return vma.file === null
}

/**
 * dup_mmap() of one VMA, with both mmap locks for writing: the child's goes into i_mmap behind the parent's, then the page
 * table is copied. i_mmap_rwsem is left out: a walk that has passed the parent has emptied its entry, so that there is
 * nothing to copy. Page tables of shared file mappings are copied only where VM_MIXEDMAP is set, which is so for fuse.
 */
export function dup_mmap(parent: Vma, child: Vma): void {
  down_write(parent.mm.mmap_lock)
  down_write(child.mm.mmap_lock)
  if (parent.linked) {
    if (parent.file !== null) child.linked = true
    copy_page_range(child, parent)
  }
  up_write(child.mm.mmap_lock)
  up_write(parent.mm.mmap_lock)
}

/** copy_page_range(): while entries lose their write permission the sequence counter is odd, which GUP-fast looks at. */
function copy_page_range(dst_vma: Vma, src_vma: Vma): void {
  const cow = is_cow_mapping(src_vma)
  if (cow) raw_write_seqcount(src_vma.mm)
  copy_pte_range(dst_vma, src_vma)
  if (cow) raw_write_seqcount(src_vma.mm)
}

/** raw_write_seqcount_begin() and _end() of mm->write_protect_seq: one more, modulo 4. */
function raw_write_seqcount(mm: Mm): void {
  atomic(() => {
    if (mm.write_protect_seq === 3) mm.write_protect_seq = 0
    else mm.write_protect_seq += 1
  })
}

/** copy_pte_range() of one entry: under both page-table locks, and again with a page in hand if one has to be copied. */
function copy_pte_range(dst_vma: Vma, src_vma: Vma): void {
  let prealloc: Page | null = null
  while (true) {
    spin_lock(dst_vma.ptl)
    spin_lock(src_vma.ptl)
    const done = copy_one_pte(dst_vma, src_vma, prealloc)
    spin_unlock(src_vma.ptl)
    spin_unlock(dst_vma.ptl)
    if (done === 'copied') return
    if (done === 'shared') {
      if (prealloc !== null) put_page(prealloc, 'alloc')
      return
    }
    prealloc = alloc_page()
    mem_cgroup_charge(prealloc, src_vma.mm)
  }
}

type Copied = 'shared' | 'copied' | 'again'

function copy_one_pte(dst_vma: Vma, src_vma: Vma, prealloc: Page | null): Copied {
  const pte = src_vma.pte
  if (pte.kind === 'none') return 'shared'
  if (pte.kind === 'present') return copy_present_pte(dst_vma, src_vma, pte, prealloc)
  copy_nonpresent_pte(dst_vma, src_vma, pte)
  return 'shared'
}

/**
 * copy_nonpresent_pte(): a device-private entry holds a reference of its own, a migration entry does not; neither is
 * writable in parent or child afterwards.
 */
function copy_nonpresent_pte(dst_vma: Vma, src_vma: Vma, pte: Pte): void {
  const page = pte.page!
  if (pte.kind === 'device_private') {
    get_page(page, 'pte')
    page_add_rmap(page)
  }
  copy_entry(dst_vma, src_vma, pte)
}

/** The child's entry; in a private mapping both lose write permission. */
function copy_entry(dst_vma: Vma, src_vma: Vma, pte: Pte): void {
  const write = pte.write && !is_cow_mapping(src_vma)
  if (pte.write && !write) src_vma.pte = { kind: pte.kind, page: pte.page, write: false }
  dst_vma.pte = { kind: pte.kind, page: pte.page, write }
}

/**
 * copy_present_pte(), copy_present_ptes(): a private page that may be pinned is copied at once, so that the pin keeps the
 * parent's page. Entries that hold nothing (devmap) are copied as they are.
 */
function copy_present_pte(dst_vma: Vma, src_vma: Vma, pte: Pte, prealloc: Page | null): Copied {
  const page = pte.page!
  if (vm_normal_page(src_vma)) {
    // page_needs_cow_for_dma() before the reference is taken; page_try_dup_anon_rmap() after, which is then given back.
    const may_be_pinned = is_cow_mapping(src_vma) && pte.write
    if (may_be_pinned && !change.anon_exclusive) {
      if (page_ref_count(page) >= GUP_PIN_COUNTING_BIAS) return copy_present_page(dst_vma, page, prealloc)
    }
    get_page(page, 'pte')
    if (may_be_pinned && change.anon_exclusive) {
      if (page_ref_count(page) >= GUP_PIN_COUNTING_BIAS) {
        put_page(page, 'pte')
        return copy_present_page(dst_vma, page, prealloc)
      }
    }
    page_add_rmap(page)
  }
  copy_entry(dst_vma, src_vma, pte)
  return 'shared'
}

/** copy_present_page(): into the page allocated before; without one the locks are dropped for the allocation. */
function copy_present_page(dst_vma: Vma, page: Page, prealloc: Page | null): Copied {
  if (prealloc === null) return 'again'
  prealloc.data = page.data
  page_add_new_anon_rmap(prealloc)
  lru_cache_add(prealloc)
  atomic(() => hand_over(prealloc, 'alloc', 'pte'))
  dst_vma.pte = { kind: 'present', page: prealloc, write: true }
  return 'copied'
}
