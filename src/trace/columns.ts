/** Columns that grow: what is kept for millions of pages, references or events lies in typed arrays, not in objects. */

export type Column = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array

/** The column itself if it has room for `need` entries, or one at least twice as long with its contents; new entries are 0. */
export function roomFor<T extends Column>(column: T, need: number): T {
  if (column.length >= need) return column
  const bigger = new (column.constructor as new (length: number) => T)(Math.max(need, column.length * 2))
  bigger.set(column)
  return bigger
}
