/**
 * A histogram for the fast path: an observation walks over a few bounds and adds, at a
 * tenth of the cost of prom-client's.
 *
 * Shapes  `counts` has one place more than `bounds`: the last one holds what lies above
 *         all of them.
 */
export class Observations {
  /** Inclusive upper bounds, ascending. */
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let index = 0
    while (index < bounds.length && value > (bounds[index] as number)) index += 1
    counts[index] = (counts[index] as number) + 1
    this.sum += value
  }

  /** The histogram as prom-client's `Registry.getMetricsAsJSON` would give it. */
  toMetric(name: string, help: string): object {
    return { name, help, type: 'histogram', aggregator: 'sum', values: this.values(name) }
  }

  values(name: string, labels: Readonly<Record<string, string>> = {}): object[] {
    let total = 0
    const bucket = (le: number | string, count: number): object => {
      total += count
      return { labels: { le, ...labels }, value: total, metricName: `${name}_bucket` }
    }
    const values = this.counts.map((count, index) => bucket(this.bounds[index] ?? '+Inf', count))
    values.push(
      { labels, value: this.sum, metricName: `${name}_sum` },
      { labels, value: total, metricName: `${name}_count` }
    )
    return values
  }
}
