/** Columns that grow: what is kept for millions of pages, references or events lies in typed arrays, not in objects. */

export type Column = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array

/** Entries a column of pages has at first. Memory that is never touched costs nothing, and memory that is touched anew is what costs most: growing is both. */
export const PAGES = 1 << 18

/** The column itself if it has room for `need` entries, or one at least four times as long with its contents; new entries are 0. */
export function roomFor<T extends Column>(column: T, need: number): T {
  if (column.length >= need) return column
  const bigger = new (column.constructor as new (length: number) => T)(Math.max(need, column.length * 4))
  bigger.set(column)
  return bigger
}
