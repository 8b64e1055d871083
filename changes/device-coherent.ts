import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'DEVICE_COHERENT: device memory that the CPU can map',
  proposed_by: 'Alex Sierra (AMD)',
  about: 'a page type whose pages are mapped by ordinary entries, and which a long-term pin migrates away, as device memory must be evictable',
  leans_on: 'nothing of the list; the patch that the mail re-posts was taken out of this series',
  of_the_mail: true,
  parts: {
    type: {
      switches: ['device_coherent', 'coherent_longterm_migrates'],
      landed: { place: 3, since: 'v6.0', commits: ['f25cbb7a95a2', 'b05a79d4377f'] },
    },
  },
})
