/**
 * Histograms in the form of the processor's /metrics, so that the latencies of all
 * subjects are the same kind of figure.
 *
 * Shapes  `counts` has one entry more than `bounds`: the last counts what is above all of
 *         them.
 * Errors  RangeError for two histograms with different bounds.
 * Source  the quantile is Prometheus's histogram_quantile: linear within a bucket, the
 *         highest bound for what is above it.
 */
export interface Histogram {
  /** Inclusive upper bounds, ascending. */
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

export function countOf({ counts }: Histogram): number {
  return counts.reduce((total, count) => total + count, 0)
}

/** What was observed between two readings of one histogram. */
export function since(before: Histogram, after: Histogram): Histogram {
  if (before.bounds.join() !== after.bounds.join())
    throw new RangeError('the histograms have different bounds')
  return {
    bounds: after.bounds,
    counts: after.counts.map((count, index) => count - (before.counts[index] ?? 0)),
    sum: after.sum - before.sum
  }
}

/** Null when nothing was observed. */
export function quantileOf(histogram: Histogram, share: number): number | null {
  const total = countOf(histogram)
  if (total === 0) return null
  const rank = share * total
  let below = 0
  for (const [index, count] of histogram.counts.entries()) {
    if (count === 0 || below + count < rank) {
      below += count
      continue
    }
    const upper = histogram.bounds[index]
    if (upper === undefined) return histogram.bounds.at(-1) ?? null
    const lower = index === 0 ? 0 : (histogram.bounds[index - 1] ?? 0)
    return lower + ((upper - lower) * (rank - below)) / count
  }
  return null
}
