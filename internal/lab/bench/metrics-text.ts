/**
 * Reads histograms and gauges out of a Prometheus text.
 *
 * Source  Prometheus text format: `name_bucket{le="0.5"} 3` counts everything up to the
 *         bound, the bound `+Inf` everything.
 */
import type { Histogram } from './histogram.js'

/**
 * Null while the text has no such histogram. All series of that name whose labels hold
 * `labels` are added up.
 */
export function readHistogram(text: string, name: string, labels = ''): Histogram | null {
  const upTo = new Map<number, number>()
  for (const [line, bound = '', count] of text.matchAll(
    new RegExp(`^${name}_bucket\\{(?:[^}]*,)?le="([^"]+)"[^}]*\\} (\\S+)$`, 'gm')
  )) {
    if (!line.includes(labels)) continue
    const upper = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound)
    upTo.set(upper, (upTo.get(upper) ?? 0) + Number(count))
  }
  if (upTo.size === 0) return null
  let sum = 0
  for (const [line, value] of text.matchAll(
    new RegExp(`^${name}_sum(?:\\{[^}]*\\})? (\\S+)$`, 'gm')
  )) {
    if (line.includes(labels)) sum += Number(value)
  }
  const ascending = [...upTo].sort(([a], [b]) => a - b)
  return {
    bounds: ascending.map(([bound]) => bound).filter(Number.isFinite),
    counts: ascending.map(([, count], index) => count - (ascending[index - 1]?.[1] ?? 0)),
    sum
  }
}

/** Null while the text has no such gauge; of several series the largest. */
export function readGauge(text: string, name: string): number | null {
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(
    ([, value]) => Number(value)
  )
  return values.length === 0 ? null : Math.max(...values)
}
