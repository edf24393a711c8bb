/**
 * Adds up the metrics that workers have reported, for `/metrics`.
 *
 * A scrape reads what the primary already has, so a busy, blocked or dead worker delays
 * nothing. Histograms and counters of dead workers stay in the sums, their gauges go.
 */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** A metric as `Registry.getMetricsAsJSON` gives it; opaque here except for its type. */
export interface MetricSnapshot {
  readonly name: string
  readonly type: unknown
}

export class WorkerReports {
  readonly #process = new Registry()
  readonly #reports = new Map<number, readonly MetricSnapshot[]>()
  readonly #restarts: Counter
  readonly #own: Registry
  #retired: readonly MetricSnapshot[] = []

  /** `own` holds what the primary itself knows. */
  constructor(prefix: string, own: Registry) {
    this.#own = own
    const registers = [own]
    const reports = this.#reports
    collectDefaultMetrics({ register: this.#process })
    new Gauge({
      name: `${prefix}workers`,
      help: 'Workers that report',
      registers,
      collect() {
        this.set(reports.size)
      }
    })
    this.#restarts = new Counter({
      name: `${prefix}worker_restarts_total`,
      help: 'Workers started again after a crash',
      registers
    })
  }

  reported(workerId: number, metrics: readonly MetricSnapshot[]): void {
    this.#reports.set(workerId, metrics)
  }

  async retire(workerId: number): Promise<void> {
    const last = this.#reports.get(workerId)
    this.#reports.delete(workerId)
    if (last === undefined) return
    const sums = last.filter(metric => metric.type === 'counter' || metric.type === 'histogram')
    const merged = await AggregatorRegistry.aggregate([[...this.#retired], sums]).getMetricsAsJSON()
    this.#retired = merged
  }

  restarted(): void {
    this.#restarts.inc()
  }

  async text(): Promise<string> {
    const own = await this.#process.getMetricsAsJSON()
    const merged = AggregatorRegistry.aggregate([
      own,
      [...this.#retired],
      ...Array.from(this.#reports.values(), report => [...report])
    ])
    return `${await this.#own.metrics()}\n${await merged.metrics()}`
  }
}
