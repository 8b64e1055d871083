/** Functions whose calls the recordings of HMM's selftests and of DAX workloads enter: an export, which cannot ask the model later, takes what it says of them along. */
const PRIVATE =
  'dmirror_migrate_to_device dmirror_devmem_fault munmap handle_mm_fault lru_cache_add do_swap_page migrate_vma_setup migrate_vma_finalize dmirror_device_evict_chunk dmirror_device_remove_chunks dmirror_allocate_chunk dup_mmap zap_pte_range zap_page_range zap_huge_pmd migrate_vma_collect_present migrate_vma_collect_device migrate_vma_collect_pmd remove_migration_ptes remove_migration_pte remove_migration_pmd __split_huge_pmd split_huge_pmd_locked migrate_vma_split_folio __folio_split try_to_migrate'
const FSDAX =
  'vmsplice_to_pipe generic_pipe_buf_release bio_iov_iter_get_pages bio_release_pages handle_mm_fault munmap zap_pte_range zap_page_range mmput ext4_break_layouts dax_break_layout dax_layout_busy_page_range unmap_mapping_pages unmap_mapping_range_tree ext4_setattr'

export const TRACED: readonly { readonly name: string; readonly type: string }[] = [
  ...PRIVATE.split(' ').map((name) => ({ name, type: 'private' })),
  ...FSDAX.split(' ').map((name) => ({ name, type: 'fsdax' })),
]
