import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'No devmap bit: nothing in a page table tells a device page',
  proposed_by: "on Jason Gunthorpe's list in the mail",
  about: 'pte_devmap() and its relatives are gone: get_user_pages() and zap decide by the page alone; an entry that is special and nothing else is a bad one',
  leans_on: 'ordinary entries (no special bit)',
  of_the_mail: true,
  parts: { bit: { switches: ['no_devmap_bit'], landed: { place: 6, since: 'v6.17', commits: ['d438d2734170'] } } },
})
