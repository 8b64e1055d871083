/** Which kernel of the model a running kernel is held to. */

export interface ChosenPreset {
  readonly name: string
  /** False: the release has no preset of its own, and this is the nearest before it. */
  readonly exact: boolean
}

/** The preset of a release (`6.1.192`): its own, or the newest that is not newer. Presets of patches that never landed are none. */
export function presetFor(release: string, presets: readonly string[]): ChosenPreset | undefined {
  const wanted = version(release)
  if (!wanted) return undefined
  let best: { name: string; at: readonly [number, number] } | undefined
  for (const name of presets) {
    if (!/^v\d+\.\d+$/.test(name)) continue
    const at = version(name.slice(1))
    if (!at || later(at, wanted)) continue
    if (!best || later(at, best.at)) best = { name, at }
  }
  return best && { name: best.name, exact: !later(wanted, best.at) }
}

function version(text: string): readonly [number, number] | undefined {
  const found = /^(\d+)\.(\d+)/.exec(text)
  return found ? [Number(found[1]), Number(found[2])] : undefined
}

function later(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])
}
