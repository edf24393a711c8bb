/**
 * Reads a histogram out of the samples of `/metrics`.
 *
 * Source  Prometheus: `name_bucket{le="0.5"} 3` counts everything up to the bound, the
 *         bound `+Inf` everything.
 */
import {
  type Labels,
  type Sample,
  samplesOf,
  sumOfSamples
} from '../../engine/observe/prometheus-text.js'
import type { Histogram } from './histogram.js'

/**
 * Adds up all series of that name whose labels `isMeant` accepts; null if there are none.
 */
export function readHistogram(
  samples: readonly Sample[],
  name: string,
  isMeant?: (labels: Labels) => boolean
): Histogram | null {
  const upTo = new Map<number, number>()
  for (const sample of samplesOf(samples, `${name}_bucket`, isMeant)) {
    const bound = sample.labels['le'] ?? '+Inf'
    const upper = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound)
    upTo.set(upper, (upTo.get(upper) ?? 0) + sample.value)
  }
  if (upTo.size === 0) return null
  const ascending = [...upTo].sort(([a], [b]) => a - b)
  return {
    bounds: ascending.map(([bound]) => bound).filter(Number.isFinite),
    counts: ascending.map(([, count], index) => count - (ascending[index - 1]?.[1] ?? 0)),
    sum: sumOfSamples(samples, `${name}_sum`, isMeant)
  }
}
