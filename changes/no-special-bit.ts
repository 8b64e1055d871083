import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'No special bit: entries of DAX pages are ordinary ones',
  proposed_by: "on Jason Gunthorpe's list in the mail",
  about: 'an entry of a DAX page takes a reference and counts in _mapcount, as any entry of a file page does, and zap gives both back',
  leans_on: 'nothing of the list: a page that rests at 1 can be mapped by counted entries too',
  of_the_mail: true,
  parts: {
    entries: {
      switches: ['fsdax_mapping_counts', 'fsdax_entries_ordinary', 'generic_mapping_counts'],
      // What 38607c62b34b left for it: device-dax, by aed877c2b425.
      cuts: { 'as landed': ['generic_mapping_counts'] },
      landed: { place: 5, since: 'v6.15', commits: ['38607c62b34b', 'aed877c2b425'] },
    },
  },
})
