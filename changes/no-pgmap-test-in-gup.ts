import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'No pgmap test in get_user_pages()',
  proposed_by: "on Jason Gunthorpe's list in the mail",
  about: 'get_user_pages() no longer takes a reference of the pgmap before the reference of the page',
  leans_on: 'a page that an entry maps must have a count above 0 as long as the entry is there',
  of_the_mail: true,
  parts: { gup: { switches: ['gup_no_pgmap'], landed: { place: 6, since: 'v6.17', commits: ['fd2825b0760a'] } } },
})
