import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'The refcount normalisation: free at 0, like every other page',
  proposed_by: "Ralph Campbell's patch; posted again by Alex Sierra (AMD) on 15 November 2021, which is the mail",
  about: 'the count at which a device page is free falls from 1 to 0, and with it what its last put does',
  leans_on: 'for fsdax: entries of the page table that hold a reference, or get_user_pages() meets mapped pages at 0',
  of_the_mail: true,
  parts: {
    private: {
      about:
        'pages of device memory rest at 0: the allocator stores 1, the last put frees, each page in use holds its pgmap; migration and charge moving stop allowing for the extra one',
      switches: [
        'private_free_at_zero',
        'free_zone_device_page_at_zero',
        'page_holds_pgmap_reference',
        'migrate_expects_no_base_reference',
        'memcg_get_unless_zero',
      ],
      cuts: {
        // 27674ef6c73f changed the teardown of all types at once.
        'as landed': [
          'private_free_at_zero',
          'free_zone_device_page_at_zero',
          'page_holds_pgmap_reference',
          'migrate_expects_no_base_reference',
          'memcg_get_unless_zero',
          'memunmap_puts_in_bulk',
        ],
      },
      landed: { place: 2, since: 'v5.18, completed in v6.1', commits: ['27674ef6c73f', 'ef233450898f', '0dc45ca1ce18'] },
    },
    fsdax: {
      about: 'fsdax pages rest at 0, are idle at 0, and the put that reaches 0 wakes who waits; the hook of put_page() is gone',
      switches: ['fsdax_free_at_zero', 'fsdax_wake_at_zero', 'no_devmap_managed_hook'],
      cuts: {
        // 38607c62b34b made the mappings count in the same commit, PMD entries too, and folios of their pages.
        'as landed': [
          'fsdax_free_at_zero',
          'fsdax_wake_at_zero',
          'no_devmap_managed_hook',
          'fsdax_mapping_counts',
          'fsdax_entries_ordinary',
          'dax_pmd_accounting',
          'fsdax_folios',
        ],
      },
      landed: { place: 5, since: 'v6.15', commits: ['38607c62b34b'] },
    },
    p2pdma: {
      about: 'PCI peer memory rests at 0: the allocator stores 1, nothing is stored after the free',
      switches: ['p2pdma_free_at_zero'],
      landed: { place: 5, since: 'v6.15', commits: ['b7e282378773'] },
    },
  },
})
