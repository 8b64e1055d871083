/** Sets of switches as numbers: the switches that any of the elements turns on, one bit each. */

/** At most 30 switches that vary: more would need wider sets. */
export const MOST_SWITCHES = 30

export class SwitchBits {
  readonly names: readonly string[]
  private readonly bits: ReadonlyMap<string, number>

  /** Throws RangeError if there are more than `MOST_SWITCHES`. */
  constructor(names: readonly string[]) {
    this.names = [...new Set(names)].sort()
    if (this.names.length > MOST_SWITCHES)
      throw new RangeError(`${this.names.length} switches differ between the sets; at most ${MOST_SWITCHES} can be told apart`)
    this.bits = new Map(this.names.map((name, i) => [name, 1 << i]))
  }

  /** Switches that do not vary are left out. */
  of(names: readonly string[]): number {
    return names.reduce((bits, name) => bits | (this.bits.get(name) ?? 0), 0)
  }

  /** The names of a set. */
  namesOf(bits: number): string[] {
    return this.names.filter((_, i) => (bits & (1 << i)) !== 0)
  }
}
