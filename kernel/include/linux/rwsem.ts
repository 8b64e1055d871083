// Reader-writer semaphores: include/linux/rwsem.h. Fairness is left out: a waiting writer does not stop new readers,
// which allows every order the kernel allows and a few more.
import { atomic, block_until, held, me, none, type PerThread, perThread, type Thread } from 'putpage/model'
import { change } from '../../switches.ts'

export class RwSemaphore {
  owner: Thread | null = null
  readers: PerThread<boolean> = perThread(false)
}

/** down_read(). @primitive */
export function down_read(sem: RwSemaphore): void {
  block_until(() => sem.owner === null, {
    on: () => sem.owner,
    then: () => {
      sem.readers[me()] = true
    },
  })
}

/** down_read_trylock(). @primitive */
export function down_read_trylock(sem: RwSemaphore): boolean {
  return atomic(() => {
    const got = sem.owner === null
    if (got) sem.readers[me()] = true
    return got
  })
}

/** up_read(); lockdep's check with it. @primitive */
export function up_read(sem: RwSemaphore): void {
  atomic(() => {
    if (change.prove_locking) held(sem.readers[me()], 'bad unlock balance')
    sem.readers[me()] = false
  })
}

/** down_write(). @primitive */
export function down_write(sem: RwSemaphore): void {
  block_until(() => sem.owner === null && none(sem.readers), {
    on: () => sem.owner,
    then: () => {
      sem.owner = me()
    },
  })
}

/** up_write(); lockdep's check with it. @primitive */
export function up_write(sem: RwSemaphore): void {
  atomic(() => {
    if (change.prove_locking) held(sem.owner === me(), 'bad unlock balance')
    sem.owner = null
  })
}

/** downgrade_write(): the writer goes on as a reader; nobody else writes in between. @primitive */
export function downgrade_write(sem: RwSemaphore): void {
  atomic(() => {
    if (change.prove_locking) held(sem.owner === me(), 'bad unlock balance')
    sem.owner = null
    sem.readers[me()] = true
  })
}
