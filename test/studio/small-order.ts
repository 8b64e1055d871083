/**
 * An answer of `putpage order --json` about five made-up changes: the second needs the first, the third and the fourth must land together, and
 * the fifth decides nothing.
 */
const warn = { check: 'warn:x', kind: 'warn', message: 'The page has a count of 0.' }
const hang = { check: 'lost-wake:y', kind: 'lost-wake', message: 'Nobody is left to wake it.' }

const sets = Array.from({ length: 32 }, (_, set) => set)
const has = (set: number, i: number): boolean => (set & (1 << i)) !== 0
const breaksFirst = (set: number): boolean => has(set, 1) && !has(set, 0)
const breaksGroup = (set: number): boolean => has(set, 2) !== has(set, 3)
const verdicts = sets.map((set) => (breaksFirst(set) || breaksGroup(set) ? 'u' : 's')).join('')
const element = (id: string, about: string, name: string, since: string) => ({
  id,
  change: id,
  about,
  switches: [name],
  landed: { since, commits: [] },
})

export const smallOrder = {
  format: 'putpage-order/1',
  from: 'v5.10',
  scenarios: 2,
  searches: 8,
  states: 1000,
  seconds: 1,
  cuts: [
    {
      cut: 'by kind',
      elements: [
        element('first', 'what comes first', 'no_devmap_bit', 'v6.12'),
        element('second', 'what needs it', 'gup_no_pgmap', 'v6.15'),
        element('third', 'one half', 'fsdax_folios', 'v6.15'),
        element('fourth', 'the other half', 'dax_pmd_accounting', 'v6.15'),
        element('fifth', 'what decides nothing', 'p2pdma_free_at_zero', 'v6.17'),
      ],
      allowed: [],
      sets: 32,
      safe: [...verdicts].filter((letter) => letter === 's').length,
      undecided: 0,
      verdicts,
      firstMovers: ['first', 'fifth'],
      orders: 0,
      ordersWithGroups: 12,
      oneOrder: [['first'], ['second'], ['third', 'fourth'], ['fifth']],
      landTogether: [{ members: ['third', 'fourth'], onto: [] }],
      minimalUnsafe: [{ set: ['second'], scenario: 'gup-of-mapped-dax', ...warn, with: ['gup_no_pgmap'] }],
      landed: [
        { since: 'v6.12', commits: [], adds: ['first'], set: ['first'] },
        { since: 'v6.15', commits: [], adds: ['second', 'third', 'fourth'], set: ['first', 'second', 'third', 'fourth'] },
      ],
    },
  ],
  switches: ['no_devmap_bit', 'gup_no_pgmap', 'fsdax_folios', 'dax_pmd_accounting', 'p2pdma_free_at_zero'],
  situations: [
    { scenario: 'gup-of-mapped-dax', needs: [], checks: [warn], searched: [0, 1, 2, 3].map((set) => (breaksFirst(set) ? [3, set, 0] : [3, set])), limited: [] },
    { scenario: 'dio-truncate', needs: [], checks: [hang], searched: [0, 4, 8, 12].map((set) => (breaksGroup(set) ? [12, set, 0] : [12, set])), limited: [] },
  ],
}
