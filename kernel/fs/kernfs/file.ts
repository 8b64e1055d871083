// Files of sysfs that can be mapped: fs/kernfs/file.c, and the removal of one in fs/kernfs/dir.c.
import { atomic, block_until, type Int } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import { unmap_mapping_pages } from '../../mm/memory.ts'

/** struct kernfs_node, with what is open of it. */
export class KernfsNode {
  /** kn->active: operations under way, each an active reference. */
  active: Int<0, 3> = 0
  /** KN_DEACTIVATED_BIAS is in it: no operation begins any more. */
  deactivated = false
  /** of->mmapped of any open file. */
  mmapped = false
}

/** kernfs_fop_mmap(): the operation is under way until the file's own mmap() has returned. */
export function kernfs_fop_mmap(kn: KernfsNode, ops_mmap: () => boolean): boolean {
  if (!kernfs_get_active(kn)) return false
  const mapped = ops_mmap()
  if (mapped) kn.mmapped = true
  kernfs_put_active(kn)
  return mapped
}

/** kernfs_get_active(): one more unless it is negative. @primitive */
function kernfs_get_active(kn: KernfsNode): boolean {
  return atomic(() => {
    const live = !kn.deactivated
    if (live) kn.active += 1
    return live
  })
}

/** kernfs_put_active(). @primitive */
function kernfs_put_active(kn: KernfsNode): void {
  atomic(() => {
    kn.active -= 1
  })
}

/**
 * __kernfs_remove(), kernfs_drain(), kernfs_drain_open_files(): waits for the operations under way, then takes away what is
 * mapped of the file. It finds the VMAs that are in i_mmap.
 */
export function kernfs_remove(kn: KernfsNode, inode: AddressSpace): void {
  kn.deactivated = true
  block_until(() => kn.active === 0, { what: 'kernfs_drain() waits for operations under way' })
  if (!kn.mmapped) return
  for (let i = 0; i < 2; i++) unmap_mapping_pages(inode, i)
  kn.mmapped = false
}
