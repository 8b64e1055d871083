import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'Folios for fsdax: a PMD entry is one folio',
  proposed_by: "on Jason Gunthorpe's list in the mail",
  about:
    'the pages of a PMD entry become one folio when a file gets them, and single pages when it gives them up: the head has the count, and the pgmap of each page is stored anew',
  leans_on: 'pages that rest at 0, as the tails of a folio do: who takes it apart leaves their counts as they are',
  of_the_mail: true,
  parts: {
    folio: {
      switches: ['fsdax_folios'],
      // 38607c62b34b has it too: nothing is left for this change.
      cuts: { 'as landed': [] },
      landed: { place: 5, since: 'v6.15', commits: ['38607c62b34b', '6c88f72691f8'] },
    },
  },
})
