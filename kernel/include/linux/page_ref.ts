// Operations on page->_refcount: include/linux/page_ref.h. Each is one atomic step; the ledger moves with it.
//
// `holder` is for the ledger only: it names what the reference is held for, and no decision ever reads it. `@event` is the
// tracepoint that a kernel with CONFIG_DEBUG_PAGE_REF reports the operation with.
import { atomic, ghost, type Int, ledger, VM_BUG_ON } from 'putpage/model'
import { GUP_PIN_COUNTING_BIAS, type Holder, type Page } from './mm_types.ts'

/** Ledger: one more reference of this kind. */
export function hold(page: Page, holder: Holder): void {
  ghost(() => {
    if (page.held[holder] < 7) page.held[holder] += 1
  })
}

/** Ledger: one reference of this kind is given back. */
export function unhold(page: Page, holder: Holder): void {
  ledger(page.held[holder] > 0, 'a reference is given back that nobody holds')
  ghost(() => {
    if (page.held[holder] > 0) page.held[holder] -= 1
  })
}

/** Ledger: a reference changes hands. */
export function hand_over(page: Page, from: Holder, to: Holder): void {
  unhold(page, from)
  hold(page, to)
}

/** page_ref_count(): a plain load of an atomic. @primitive */
export function page_ref_count(page: Page): number {
  return page._refcount
}

/** page_ref_inc(): relaxed, looks at nothing. @primitive @event page_ref_mod */
export function page_ref_inc(page: Page, holder: Holder): void {
  atomic(() => {
    page._refcount += 1
    hold(page, holder)
  })
}

/** page_ref_add() of one pin. @primitive @event page_ref_mod */
export function page_ref_add_pin(page: Page): void {
  atomic(() => {
    page._refcount += GUP_PIN_COUNTING_BIAS
    hold(page, 'pin')
  })
}

/** page_ref_add(page, GUP_PIN_COUNTING_BIAS - 1): the reference just taken becomes a pin. @primitive @event page_ref_mod */
export function page_ref_add_to_pin(page: Page): void {
  atomic(() => {
    page._refcount += GUP_PIN_COUNTING_BIAS - 1
    hand_over(page, 'gup', 'pin')
  })
}

/** page_ref_sub(page, GUP_PIN_COUNTING_BIAS - 1): all of a pin but one reference, which is put next. @primitive @event page_ref_mod */
export function page_ref_sub_from_pin(page: Page): void {
  atomic(() => {
    page._refcount -= GUP_PIN_COUNTING_BIAS - 1
    hand_over(page, 'pin', 'gup')
  })
}

/** page_ref_sub_return(), page_ref_dec_return(): the new count. `refs` is 1 or a pin. @primitive @event page_ref_mod_and_return */
export function page_ref_sub_return(page: Page, refs: number, holder: Holder): number {
  return atomic(() => {
    page._refcount -= refs
    unhold(page, holder)
    return page._refcount
  })
}

/** page_ref_sub_and_test(), page_ref_dec_and_test(): true when the count came to 0. @primitive @event page_ref_mod_and_test */
export function page_ref_sub_and_test(page: Page, refs: number, holder: Holder): boolean {
  return page_ref_sub_return(page, refs, holder) === 0
}

/** page_ref_add_unless(page, 1, u): one more, unless the count is u. @primitive @event page_ref_mod_unless */
export function page_ref_add_unless(page: Page, u: number, holder: Holder): boolean {
  return atomic(() => {
    let got = false
    if (page._refcount !== u) {
      page._refcount += 1
      hold(page, holder)
      got = true
    }
    return got
  })
}

/** set_page_count(), init_page_count(): a plain store. It may not lose a reference somebody holds. @primitive @event page_ref_set */
export function set_page_count_one(page: Page, holder: Holder): void {
  atomic(() => {
    lose_all(page)
    page._refcount = 1
    hold(page, holder)
  })
}

/** set_page_count(page, 0) by who holds the one reference there should be. @primitive @event page_ref_set */
export function set_page_count_zero(page: Page, holder: Holder): void {
  atomic(() => {
    unhold(page, holder)
    lose_all(page)
    page._refcount = 0
  })
}

/** set_page_count(page, 0) of a page that becomes a tail: whatever its count was. @primitive @event page_ref_set */
export function set_tail_page_count(page: Page): void {
  atomic(() => {
    lose_all(page)
    page._refcount = 0
  })
}

function lose_all(page: Page): void {
  const held = page.held
  ledger(
    held.alloc + held.pte + held.gup + held.pin + held.migrate + held.fault + held.speculative + held.insert + held.lru + held.cache === 0,
    'a plain store to the count loses a reference that somebody holds',
  )
  ghost(() => {
    held.base = 0
    held.alloc = 0
    held.pte = 0
    held.gup = 0
    held.pin = 0
    held.migrate = 0
    held.fault = 0
    held.speculative = 0
    held.insert = 0
    held.lru = 0
    held.cache = 0
  })
}

/** VM_BUG_ON_PAGE(page_ref_zero_or_close_to_overflow(page)) of get_page() and folio_get(), then the increment. @primitive */
export function get_page_checked(page: Page, holder: Holder): void {
  VM_BUG_ON(
    page_ref_count(page) <= 0,
    'page_ref_zero_or_close_to_overflow(page)',
    'a reference is taken of a page whose count is 0: the page was free, and comes back to life',
  )
  page_ref_inc(page, holder)
}

/** page_ref_freeze(), folio_ref_freeze(): 0 instead of the count, if it is the one expected. @primitive @event page_ref_freeze */
export function page_ref_freeze(page: Page, expected: number): boolean {
  return atomic(() => {
    let frozen = false
    if (page._refcount === expected) {
      page._refcount = 0
      frozen = true
      ghost(() => {
        page.frozen = true
      })
    }
    return frozen
  })
}

/** page_ref_unfreeze(), folio_ref_unfreeze(): a plain store, with its VM_BUG_ONs. @primitive @event page_ref_unfreeze */
export function page_ref_unfreeze(page: Page, count: Int<0, 7>): void {
  VM_BUG_ON(page_ref_count(page) !== 0, 'page_count(page) != 0', 'the count of a frozen page was changed')
  VM_BUG_ON(count === 0, 'count == 0', 'a frozen page is given the count 0: nothing will free it, and the next put takes it below 0')
  atomic(() => {
    page._refcount = count
    ghost(() => {
      page.frozen = false
    })
  })
}

/** For properties: references of operations that give them back before they end. */
export function held_in_passing(page: Page): number {
  const held = page.held
  return held.alloc + held.migrate + held.fault + held.speculative + held.insert + held.lru
}
