/** An answer of `putpage order --json` about two changes, of which the second needs the first. */
const warn = { scenario: 'gup-of-mapped-dax', check: 'warn:x', kind: 'warn', message: 'The page has a count of 0.' }
const nothing = { introduces: [], repairs: [], complete: true }

export const smallOrder = {
  format: 'putpage-order/1',
  from: 'v5.10',
  scenarios: 3,
  searches: 12,
  states: 1000,
  seconds: 1,
  cuts: [
    {
      cut: 'by kind',
      elements: [
        { id: 'first', change: 'first', about: 'what comes first', switches: ['no_devmap_bit'], landed: { since: 'v6.12', commits: [] } },
        { id: 'second', change: 'second', about: 'what needs it', switches: ['gup_no_pgmap'], landed: { since: 'v6.15', commits: [] } },
      ],
      allowed: [],
      sets: 4,
      safe: 3,
      undecided: 0,
      firstMovers: ['first'],
      orders: 1,
      ordersWithGroups: 1,
      oneOrder: [['first'], ['second']],
      reachable: [[], ['first'], ['first', 'second']],
      steps: [
        { from: [], adds: 'first' },
        { from: ['first'], adds: 'second' },
      ],
      landTogether: [],
      alone: [
        { element: 'first', safe: true, ...nothing },
        { element: 'second', safe: false, introduces: [warn], repairs: [], complete: true },
      ],
      all: nothing,
      minimalUnsafe: [{ set: ['second'], ...warn, with: ['gup_no_pgmap'], repairedBy: [['first', 'second']] }],
      landed: [
        { since: 'v6.12', commits: [], adds: ['first'], set: ['first'], new: [], ...nothing },
        { since: 'v6.15', commits: [], adds: ['second'], set: ['first', 'second'], new: [], ...nothing },
      ],
    },
  ],
}
