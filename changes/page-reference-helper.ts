import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: "ext4/xfs: add page refcount helper (the mail's first patch)",
  proposed_by: 'Ralph Campbell; posted again by Alex Sierra (AMD) on 15 November 2021',
  about: 'ext4, xfs and fuse ask one helper whether a page is idle, and compare no count themselves: no behaviour changes',
  leans_on: 'nothing',
  of_the_mail: true,
  parts: { helper: { switches: ['dax_page_idle_helper'], landed: { place: 5, since: 'v6.15', commits: ['d5b3afea22a5'] } } },
})
