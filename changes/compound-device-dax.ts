import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'Compound pages for device-dax',
  proposed_by: 'Joao Martins (Oracle)',
  about:
    'the pages of a device-dax instance are compound ones of the size it maps: the head has the count, tails are at 0, and the pgmap counts each compound page as one',
  leans_on: 'nothing of the list',
  of_the_mail: true,
  parts: { compound: { switches: ['device_dax_compound'], landed: { place: 1, since: 'v5.17', commits: ['14606001efb4'] } } },
})
