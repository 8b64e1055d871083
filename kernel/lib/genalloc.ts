// The general allocator: lib/genalloc.c. A bitmap without a lock; one page is one bit.
import { array, atomic, BUG_ON, type FixedArray, retire } from 'putpage/model'
import type { Page } from '../include/linux/mm_types.ts'

/** struct gen_pool with its one chunk. */
export class GenPool {
  pages: FixedArray<Page | null, 2> = array(2, null)
  taken: FixedArray<boolean, 2> = array(2, false)
}

/** gen_pool_alloc_owner() of one page: the first free one, or null. The chunk's owner is the pgmap of its pages. */
export function gen_pool_alloc_owner(pool: GenPool): Page | null {
  let got: Page | null = null
  for (let i = 0; i < 2; i++) {
    const page = pool.pages[i]
    if (got === null && page !== null) {
      if (bitmap_set_ll(pool, i)) got = page
    }
  }
  return got
}

/** bitmap_set_ll() of one bit: a compare-and-exchange. */
function bitmap_set_ll(pool: GenPool, i: number): boolean {
  return atomic(() => {
    const free = !pool.taken[i]
    pool.taken[i] = true
    return free
  })
}

/** gen_pool_free(), gen_pool_free_owner(): the page can be allocated again from here on. */
export function gen_pool_free_owner(pool: GenPool, page: Page): void {
  for (let i = 0; i < 2; i++) {
    if (pool.pages[i] === page) bitmap_clear_ll(pool, i)
  }
}

/** bitmap_clear_ll() of one bit: what was not set remains, and is a bug. */
function bitmap_clear_ll(pool: GenPool, i: number): void {
  atomic(() => {
    BUG_ON(!pool.taken[i], 'remain', 'a page is given back to the pool that the pool already has: it was freed twice')
    pool.taken[i] = false
  })
}

/** gen_pool_destroy(). */
export function gen_pool_destroy(pool: GenPool): void {
  BUG_ON(pool.taken[0] || pool.taken[1], 'bit < end_bit', 'the pool goes while somebody has memory of it')
  retire(pool)
}
