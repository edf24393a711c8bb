/**
 * What the processor's `/metrics` shows: the totals of all workers, some also by client,
 * and the histograms and gauges of the workers' last reports.
 */
import { type CounterSeries, Metrics } from '../../../engine/observe/metrics.js'
import { CLIENT_COUNTERS, type ClientCounter, combinations } from './client-metrics.js'
import { METRIC_PREFIX, PROCESSOR_COUNTERS } from './counters.js'

export interface ProcessorMetrics {
  readonly metrics: Metrics
  /** Gives these clients series of their own from now on. */
  readonly label: (clients: readonly string[]) => void
}

export function createProcessorMetrics(): ProcessorMetrics {
  const metrics = new Metrics(METRIC_PREFIX, PROCESSOR_COUNTERS)
  let clients: readonly string[] = []
  const seriesOf = (name: ClientCounter): CounterSeries[] =>
    Array.from(combinations(name, clients), ([key, labels]) => [labels, metrics.totals.sum(key)])
  for (const name of Object.keys(CLIENT_COUNTERS) as ClientCounter[])
    metrics.addCounter({ name, ...CLIENT_COUNTERS[name], series: () => seriesOf(name) })
  return {
    metrics,
    label(labels) {
      clients = labels
    }
  }
}
