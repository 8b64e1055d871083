/** The lattice of sets of elements: which orders keep to safe sets, what comes first, what must land together. Sets are bits. */

export interface Lattice {
  readonly size: number
  readonly full: number
  /** Safe sets that can be reached from none, one element at a time, through safe sets only. */
  readonly reachable: ReadonlySet<number>
  /** Elements that are safe alone. */
  readonly firstMovers: readonly number[]
  /** Elements that decide nothing: whatever else has landed, with them it is as safe as without. */
  readonly free: readonly number[]
  /** Number of orders from none to all in which each step is safe; exact up to 2^53. */
  readonly orders: number
  /** Minimal groups that can land as a whole where none of their members can be added alone; each with a set it can be added to. */
  readonly groups: readonly { readonly members: number; readonly onto: number }[]
  /** Safe sets that can be reached where groups may land as a whole. */
  readonly reachableWithGroups: ReadonlySet<number>
  /** Number of orders in which each step is safe and each group lands as a whole; that of `orders` where there is none. */
  readonly ordersWithGroups: number
  /** One of them, step by step, with as few groups as will do; undefined where all cannot be reached. */
  readonly oneOrder: readonly number[] | undefined
  /** Unsafe sets without unsafe subset. */
  readonly minimalUnsafe: readonly number[]
}

/** Numbers of the bits of a set, upwards. */
export function members(set: number): number[] {
  const result: number[] = []
  for (let i = 0; set >>> i !== 0; i++) if ((set & (1 << i)) !== 0) result.push(i)
  return result
}

/** How many elements a set has. */
export function sizeOf(set: number): number {
  return members(set).length
}

/** Answers all questions of order from which sets are safe; the empty set is taken to be. At most 20 elements. */
export function lattice(size: number, isSafe: (set: number) => boolean): Lattice {
  if (size > 20) throw new RangeError(`${size} elements: at most 20 can be ordered`)
  const full = 2 ** size - 1
  const safe = Uint8Array.from({ length: full + 1 }, (_, set) => Number(set === 0 || isSafe(set)))
  const single = Array.from({ length: size }, (_, i) => 1 << i)
  const reachable = reach(single, safe)
  const groups: { members: number; onto: number }[] = []
  let withGroups = reachable
  for (;;) {
    const found = smallestGroups(withGroups, size, safe)
    if (found.length === 0) break
    groups.push(...found)
    withGroups = reach([...single, ...groups.map((group) => group.members)], safe)
  }
  return {
    size,
    full,
    reachable,
    firstMovers: Array.from({ length: size }, (_, i) => i).filter((i) => safe[1 << i] === 1),
    free: Array.from({ length: size }, (_, i) => i).filter((i) => safe.every((one, set) => one === safe[set ^ (1 << i)])),
    orders: ordersOf(size, safe, []).ordersWithGroups,
    groups,
    reachableWithGroups: withGroups,
    ...ordersOf(size, safe, groups),
    minimalUnsafe: minimalUnsafe(full, safe),
  }
}

/** Sets that such steps lead to from none, through safe ones. */
function reach(steps: readonly number[], safe: Uint8Array): Set<number> {
  const seen = new Set([0])
  for (const set of seen) for (const step of steps) if ((set & step) === 0 && safe[set | step] === 1) seen.add(set | step)
  return seen
}

/** Paths from none to each set: the sum over its last step, and the one whose last steps are groups as rarely as can be. */
function ordersOf(size: number, safe: Uint8Array, groups: Lattice['groups']): Pick<Lattice, 'ordersWithGroups' | 'oneOrder'> {
  const steps = [...Array.from({ length: size }, (_, i) => 1 << i), ...new Set(groups.map((group) => group.members))]
  const paths = new Float64Array(safe.length)
  const taken = new Float64Array(safe.length).fill(Number.POSITIVE_INFINITY)
  const last = new Int32Array(safe.length)
  paths[0] = 1
  taken[0] = 0
  for (let set = 1; set < safe.length; set++) {
    if (safe[set] === 0) continue
    steps.forEach((step, i) => {
      if ((set & step) !== step || paths[set & ~step] === 0) return
      paths[set] += paths[set & ~step]
      const cost = taken[set & ~step] + Number(i >= size)
      if (cost > taken[set] || paths[set & ~step] === 0) return
      taken[set] = cost
      last[set] = step
    })
  }
  const full = safe.length - 1
  const order: number[] = []
  for (let set = full; set !== 0 && paths[full] > 0; set &= ~last[set]) order.unshift(last[set])
  return { ordersWithGroups: paths[full], oneOrder: paths[full] > 0 ? order : undefined }
}

/** Groups of the least size whose members no reachable set can take alone, and which some reachable set can take whole. */
function smallestGroups(reachable: ReadonlySet<number>, size: number, safe: Uint8Array): { members: number; onto: number }[] {
  let addable = 0
  for (const set of reachable) for (let i = 0; i < size; i++) if ((set & (1 << i)) === 0 && safe[set | (1 << i)] === 1) addable |= 1 << i
  let landed = 0
  for (const set of reachable) landed |= set
  const stuck = (safe.length - 1) & ~addable & ~landed
  const found = new Map<number, number>()
  let least = Number.POSITIVE_INFINITY
  const bases = [...reachable].sort((a, b) => sizeOf(a) - sizeOf(b) || a - b)
  // Subsets of the stuck ones, by the usual trick of counting down within a mask.
  for (let group = stuck; group > 0; group = (group - 1) & stuck) {
    const count = sizeOf(group)
    if (count < 2 || count > least) continue
    const onto = bases.find((set) => safe[set | group] === 1)
    if (onto === undefined) continue
    if (count < least) found.clear()
    least = count
    found.set(group, onto)
  }
  return [...found].map(([group, onto]) => ({ members: group, onto })).sort((a, b) => a.members - b.members)
}

function minimalUnsafe(full: number, safe: Uint8Array): number[] {
  const result: number[] = []
  const bySize = Array.from({ length: full + 1 }, (_, set) => set).sort((a, b) => sizeOf(a) - sizeOf(b) || a - b)
  for (const set of bySize) if (safe[set] === 0 && !result.some((smaller) => (smaller & set) === smaller)) result.push(set)
  return result
}

/** The smallest safe sets that contain an unsafe one. */
export function minimalRepairs(unsafe: number, full: number, isSafe: (set: number) => boolean): number[] {
  const others = full & ~unsafe
  const supersets: number[] = []
  for (let more = others; more > 0; more = (more - 1) & others) if (isSafe(unsafe | more)) supersets.push(more)
  supersets.sort((a, b) => sizeOf(a) - sizeOf(b) || a - b)
  const minimal: number[] = []
  for (const more of supersets) if (!minimal.some((smaller) => (smaller & more) === smaller)) minimal.push(more)
  return minimal.map((more) => unsafe | more)
}
