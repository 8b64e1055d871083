// Failure injection: an allocation that may fail, tried twice.
import { atomic, type Int, may_fail, scenario, struct } from 'putpage/model'

class Pool {
  taken: Int<0, 2> = 0
  failures: Int<0, 2> = 0
}
const pool = struct(Pool)

function alloc(): boolean {
  const fails = may_fail()
  atomic(() => {
    if (fails) pool.failures += 1
    else pool.taken += 1
  })
  return !fails
}

export default scenario({
  about: 'an allocation that may fail, tried twice',
  bounds: '1 thread',
  threads: {
    user() {
      alloc()
      alloc()
    },
  },
  always: { 'a site fails at most once': () => pool.failures <= 1 },
  sometimes: { 'it fails': () => pool.failures === 1, 'it does not fail': () => pool.taken === 2 },
})
