/** The lattice: safe sets and the steps between them, the smallest unsafe sets, and the way Linux took. */
import dagre from '@dagrejs/dagre'
import { useMemo } from 'preact/hooks'
import { judge, keyOf, type OrderCut } from './report.ts'

/** More sets than this are drawn only around the chosen one. */
const MOST_NODES = 220

interface Node {
  readonly key: string
  readonly set: readonly string[]
  readonly kind: 'safe' | 'unsafe' | 'unreached' | 'not told'
  readonly label: string
  readonly landed: string | undefined
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly label: string
  readonly kind: 'step' | 'unsafe' | 'group' | 'landed'
}

export function latticeOf(
  cut: OrderCut,
  chosen: readonly string[],
): { readonly nodes: readonly Node[]; readonly edges: readonly Edge[]; readonly partly: boolean } {
  const numbers = new Map(cut.elements.map(({ id }, i) => [id, i + 1]))
  const label = (set: readonly string[]): string =>
    set.length === 0
      ? 'none'
      : set
          .map((id) => numbers.get(id) ?? 0)
          .sort((a, b) => a - b)
          .join(' ')
  const nodes = new Map<string, Node>()
  const edges = new Map<string, Edge>()
  const add = (set: readonly string[], kind?: Node['kind'], landed?: string): string => {
    const key = keyOf(set)
    const known = nodes.get(key)
    if (!known || landed !== undefined)
      nodes.set(key, { key, set, kind: known?.kind ?? kind ?? judge(cut, set).kind, label: label(set), landed: landed ?? known?.landed })
    return key
  }
  const connect = (from: readonly string[], to: readonly string[], kind: Edge['kind'], text: string): void => {
    const edge = { from: add(from), to: add(to), kind, label: text }
    const key = `${edge.from}>${edge.to}`
    if (!edges.has(key) || kind === 'landed') edges.set(key, edge)
  }
  const partly = cut.reachable.length > MOST_NODES
  const near = (set: readonly string[]): boolean =>
    !partly || (Math.abs(set.length - chosen.length) <= 1 && (set.every((id) => chosen.includes(id)) || chosen.every((id) => set.includes(id))))
  for (const set of cut.reachable) if (near(set)) add(set, 'safe')
  for (const { from, adds } of cut.steps) if (near(from) && near([...from, adds])) connect(from, [...from, adds], 'step', String(numbers.get(adds)))
  for (const { members, onto } of cut.landTogether) connect(onto, [...onto, ...members], 'group', `together ${label(members)}`)
  for (const one of cut.minimalUnsafe) {
    add(one.set, 'unsafe')
    for (const id of one.set) {
      const before = one.set.filter((other) => other !== id)
      if (nodes.has(keyOf(before))) connect(before, one.set, 'unsafe', String(numbers.get(id)))
    }
  }
  let before: readonly string[] = []
  for (const step of cut.landed) {
    add(step.set, step.introduces.length > 0 ? 'unsafe' : undefined, step.since)
    connect(before, step.set, 'landed', step.since)
    before = step.set
  }
  add([], 'safe')
  add(chosen)
  return { nodes: [...nodes.values()], edges: [...edges.values()], partly }
}

const SIGN = { safe: '✓', unsafe: '✖', unreached: '◌', 'not told': '?' } as const

export function Lattice({ cut, chosen, onChoose }: { cut: OrderCut; chosen: readonly string[]; onChoose: (set: readonly string[]) => void }) {
  const { nodes, edges, partly } = useMemo(() => latticeOf(cut, chosen), [cut, keyOf(chosen)])
  const layout = useMemo(() => {
    const graph = new dagre.graphlib.Graph()
    // The empty set's key is empty, which is no name of a node.
    graph.setGraph({ rankdir: 'BT', nodesep: 14, ranksep: 40, marginx: 12, marginy: 12 })
    graph.setDefaultEdgeLabel(() => ({}))
    for (const { key, label, landed } of nodes) graph.setNode(`set ${key}`, { width: Math.max(52, label.length * 8 + 34), height: landed ? 44 : 30 })
    for (const { from, to } of edges) graph.setEdge(`set ${from}`, `set ${to}`)
    dagre.layout(graph)
    return graph
  }, [nodes, edges])
  const { width = 100, height = 100 } = layout.graph()
  const points = (edge: Edge): string =>
    ((layout.edge(`set ${edge.from}`, `set ${edge.to}`) as { points: { x: number; y: number }[] }).points ?? [])
      .map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
      .join('')
  return (
    <section class="scroll lattice" aria-label="The lattice of sets of changes" tabIndex={0}>
      {partly && (
        <p class="note">
          {cut.reachable.length} sets can be reached: drawn are the chosen one and those one step from it, the smallest unsafe ones, and the way Linux took.
        </p>
      )}
      <svg width={width} height={height} role="group" aria-label="Sets, from none at the bottom to all at the top">
        <title>The lattice</title>
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
            <path d="M0 0L8 4L0 8z" class="tip" />
          </marker>
        </defs>
        {edges.map((edge) => (
          <path key={`${edge.from}>${edge.to}`} d={points(edge)} class={`edge e-${edge.kind}`} marker-end="url(#tip)">
            <title>{edge.label}</title>
          </path>
        ))}
        {nodes.map((node) => {
          const at = layout.node(`set ${node.key}`) as { x: number; y: number; width: number; height: number }
          const here = node.key === keyOf(chosen)
          return (
            <g
              key={node.key}
              class={`node n-${node.kind.replace(' ', '-')}${here ? ' here' : ''}${node.landed ? ' landed' : ''}`}
              transform={`translate(${at.x - at.width / 2} ${at.y - at.height / 2})`}
              role="button"
              tabIndex={0}
              aria-pressed={here}
              onClick={() => onChoose(node.set)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' && event.key !== ' ') return
                event.preventDefault()
                onChoose(node.set)
              }}
            >
              <rect width={at.width} height={at.height} rx={5} />
              <text x={at.width / 2} y={19} text-anchor="middle">
                {SIGN[node.kind]} {node.label}
              </text>
              {node.landed && (
                <text x={at.width / 2} y={36} text-anchor="middle" class="since">
                  {node.landed}
                </text>
              )}
              <text class="heard">{` ${node.set.length === 0 ? 'none' : node.set.join(', ')}: ${node.kind}`}</text>
            </g>
          )
        })}
      </svg>
    </section>
  )
}
