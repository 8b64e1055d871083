import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'No vma_is_special: PMD entries of DAX are accounted for',
  proposed_by: "on Jason Gunthorpe's list in the mail",
  about: 'vma_is_special_huge() is false for DAX: zap and split of a PMD entry take a mapping of its folio away and put a reference, as for any other folio',
  leans_on: 'PMD entries that took both when they were made (no special bit), and a folio for them to be counted in (folios for fsdax, compound device-dax)',
  of_the_mail: true,
  parts: {
    zap: {
      switches: ['dax_pmd_accounting'],
      // 38607c62b34b has it too: nothing is left for this change.
      cuts: { 'as landed': [] },
      landed: { place: 5, since: 'v6.15', commits: ['38607c62b34b'] },
    },
  },
})
