/** Medians and their spread over several rounds, because the machine may be shared. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Null without values. */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((a, b) => a - b)
  const [min] = sorted
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) return null
  const upper = sorted[sorted.length >> 1] ?? max
  const lower = sorted[(sorted.length - 1) >> 1] ?? min
  return { median: (lower + upper) / 2, min, max }
}
