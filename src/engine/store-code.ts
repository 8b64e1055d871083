/**
 * The code that works on a store: taking records in, filling a larger index, and dividing records among the workers that own them.
 * Where everything stands is read from the store's header, so that there is one code for all states of a width.
 */
import { hashCode, ownerCode } from './hash.ts'
import { bin, type Command, get, type MachineFunction, type MachineModule, not, num, set, type Value, when } from './machine.ts'
import { FAILED, PROGRESS } from './workspace.ts'

/** Words of a store's header. */
export const HEADER = { count: 0, retreating: 1, mask: 2, table: 3, heads: 4, hashes: 5, states: 6, sink: 7 } as const
export const HEADER_WORDS = 8
/** Width from which hashes are kept: growing the index would otherwise spend most of a search on hashing wide states again. */
export const HASHES_FROM = 4
/** Records taken in at a time: what they touch fits in the first caches. */
const SLICE = 512

const word = (at: Value, offset = 0): Value => ({ k: 'word', at, offset })
const store = (at: Value, value: Value, offset = 0): Command => ({ k: 'store', at, offset, value })
const add = (to: number, value: Value): Command => set(to, bin('+', get(to), value))
const again = (label: number): Command => ({ k: 'again', label })
const leave = (label: number): Command => ({ k: 'leave', label })
const loop = (label: number, ...body: Command[]): Command => ({ k: 'loop', label, body })

export type StoreCode = 'insert' | 'refill' | 'divide'

/** `insert(header, from, to, old)`, `refill(header)` and `divide(from, to, parts, ends)` for states of `width` words. */
export function storeCode(width: number): MachineModule<StoreCode> {
  return { functions: [insert(width), refill(width), divide(width)], exports: ['insert', 'refill', 'divide'] }
}

/**
 * Takes in the records from `from` to `to`, for which there is room. An edge to one of the first `old` states without progress
 * or injected failure is retreating: it is counted, and its target marked as head.
 */
function insert(width: number): MachineFunction {
  const [header, from, to, old, at, end, hash, tag, place, entry, home, count, mask, table, states, sum, heads, above] = Array.from({ length: 18 }, (_, i) => i)
  const stride = width + 2
  const [SLICES, PREFETCH, RECORDS, PROBE, FOUND] = [0, 1, 2, 3, 4]
  const field = (name: keyof typeof HEADER): Value => word(get(header), HEADER[name])
  const same = Array.from({ length: width }, (_, w) => bin('==', word(get(home), w), word(get(at), w))).reduceRight((rest, one) => ({
    k: 'cond',
    c: one,
    a: rest,
    b: num(0),
  }))
  const append: Command[] = [
    set(home, bin('+', get(states), bin('*', get(count), num(width)))),
    ...Array.from({ length: width }, (_, w) => store(get(home), word(get(at), w), w)),
    ...(width < HASHES_FROM ? [] : [store(bin('+', field('hashes'), get(count)), get(hash))]),
    add(count, num(1)),
    store(bin('+', get(table), get(place)), bin('|', get(tag), get(count))),
    leave(FOUND),
  ]
  // What `entry` holds from here on is the number of the state.
  const retreat: Command[] = [
    store(get(header), bin('+', field('retreating'), num(1)), HEADER.retreating),
    set(heads, bin('+', field('heads'), bin('>>>', get(entry), num(5)))),
    store(get(heads), bin('|', word(get(heads)), bin('<<', num(1), bin('&', get(entry), num(31))))),
  ]
  const retreating = bin('&', bin('<', get(entry), get(old)), not(bin('&', word(get(at), width + 1), num(PROGRESS | FAILED))))
  const known: Command[] = [
    set(entry, bin('-', bin('&', get(entry), get(mask)), num(1))),
    set(home, bin('+', get(states), bin('*', get(entry), num(width)))),
    ...when(same, [...when(retreating, retreat), leave(FOUND)]),
  ]
  const probe = loop(
    PROBE,
    set(entry, word(bin('+', get(table), get(place)))),
    ...when(not(get(entry)), append),
    // Nearly all misses are decided by the tag, without touching a state.
    ...when(bin('==', bin('&', get(entry), get(above)), get(tag)), known),
    set(place, bin('&', bin('+', get(place), num(1)), get(mask))),
    again(PROBE),
  )
  const body: Command[] = [
    set(count, field('count')),
    set(mask, field('mask')),
    set(above, bin('^', get(mask), num(-1))),
    set(table, field('table')),
    set(states, field('states')),
    set(at, get(from)),
    loop(
      SLICES,
      set(end, bin('+', get(at), num(SLICE * stride))),
      ...when(bin('<', get(to), get(end)), [set(end, get(to))]),
      // All first entries are read before any is needed, so that the processor overlaps the misses. Reading the states as well
      // was measured to cost more than it gains.
      set(place, get(at)),
      loop(
        PREFETCH,
        set(sum, bin('^', get(sum), word(bin('+', get(table), bin('&', word(get(place), width), get(mask)))))),
        add(place, num(stride)),
        ...when(bin('<', get(place), get(end)), [again(PREFETCH)]),
      ),
      loop(
        RECORDS,
        set(hash, word(get(at), width)),
        set(place, bin('&', get(hash), get(mask))),
        set(tag, bin('^', get(hash), get(place))),
        { k: 'block', label: FOUND, body: [probe] },
        add(at, num(stride)),
        ...when(bin('<', get(at), get(end)), [again(RECORDS)]),
      ),
      ...when(bin('<', get(at), get(to)), [again(SLICES)]),
    ),
    store(get(header), get(count), HEADER.count),
    store(get(header), get(sum), HEADER.sink),
  ]
  return { name: 'insert', params: 4, vars: 18, body: when(bin('<', get(from), get(to)), body) }
}

/** Fills the index, all zero, with all states. */
function refill(width: number): MachineFunction {
  const [header, id, hash, place, mask, table, states, count, sum, scratch, ahead] = Array.from({ length: 11 }, (_, i) => i)
  const field = (name: keyof typeof HEADER): Value => word(get(header), HEADER[name])
  const [STATES, PROBE, FREE] = [0, 1, 2]
  const hashOf =
    width < HASHES_FROM
      ? hashCode(width, bin('+', get(states), bin('*', get(id), num(width))), hash, scratch)
      : [set(hash, word(bin('+', field('hashes'), get(id))))]
  // Memory is read well before it is needed where that costs no second hashing.
  const look =
    width < HASHES_FROM
      ? []
      : [
          set(ahead, bin('+', get(id), num(LOOK_AHEAD))),
          ...when(bin('<', get(ahead), get(count)), [
            set(sum, bin('^', get(sum), word(bin('+', get(table), bin('&', word(bin('+', field('hashes'), get(ahead))), get(mask)))))),
          ]),
        ]
  const body: Command[] = [
    set(mask, field('mask')),
    set(table, field('table')),
    set(states, field('states')),
    set(count, field('count')),
    ...when(bin('<', num(0), get(count)), [
      loop(
        STATES,
        ...look,
        ...hashOf,
        set(place, bin('&', get(hash), get(mask))),
        {
          k: 'block',
          label: FREE,
          body: [
            loop(
              PROBE,
              ...when(not(word(bin('+', get(table), get(place)))), [leave(FREE)]),
              set(place, bin('&', bin('+', get(place), num(1)), get(mask))),
              again(PROBE),
            ),
          ],
        },
        add(id, num(1)),
        store(bin('+', get(table), get(place)), bin('|', bin('&', get(hash), bin('^', get(mask), num(-1))), get(id))),
        ...when(bin('<', get(id), get(count)), [again(STATES)]),
      ),
    ]),
    store(get(header), get(sum), HEADER.sink),
  ]
  return { name: 'refill', params: 1, vars: 11, body }
}

/** States between looking at an index entry and needing it. */
const LOOK_AHEAD = 32

/** Copies the records from `from` to `to` to the ends of their owners' shares; `ends` is where those ends stand. */
function divide(width: number): MachineFunction {
  const [from, to, parts, ends, owner, at] = [0, 1, 2, 3, 4, 5]
  const stride = width + 2
  const body: Command[] = [
    loop(
      0,
      set(owner, bin('+', get(ends), ownerCode(word(get(from), width), get(parts)))),
      set(at, word(get(owner))),
      ...Array.from({ length: stride }, (_, w) => store(get(at), word(get(from), w), w)),
      store(get(owner), bin('+', get(at), num(stride))),
      add(from, num(stride)),
      ...when(bin('<', get(from), get(to)), [again(0)]),
    ),
  ]
  return { name: 'divide', params: 4, vars: 6, body: when(bin('<', get(from), get(to)), body) }
}
