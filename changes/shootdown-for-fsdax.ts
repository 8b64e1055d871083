import { proposal } from 'putpage/model'
import { change } from '../kernel/switches.ts'

proposal(change, {
  title: 'Shootdown for fsdax: the holder is told before the memory goes',
  proposed_by: "on Jason Gunthorpe's list in the mail",
  about: 'before unbind the file system on the device is told, and every mapping goes; pins are not waited for',
  leans_on: 'teardown that waits for pins by itself, or for nobody: the shootdown does not',
  of_the_mail: true,
  parts: { holder: { switches: ['dax_holder_notify', 'fsdax_shootdown'], landed: { place: 4, since: 'v6.12', commits: ['fa422b353d21'] } } },
})
