/**
 * A worker's histograms and gauges. Its counters are CounterSums, because the primary
 * must know them exactly (totals.ts).
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Gauge, Histogram, type MetricObject, Registry } from 'prom-client'
import type { IntakeStatus } from '../../../engine/intake/intake.js'
import { Observations } from '../../../engine/observe/observations.js'
import { ClientMetrics } from './client-metrics.js'
import { METRIC_PREFIX } from './counters.js'

/**
 * Seconds; fine around the goals (10 and 50 ms), coarse where only the order of magnitude
 * matters.
 */
export const SECONDS_BUCKETS = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5,
  10, 30, 60, 300, 3_600
]

export interface WorkerMetrics {
  readonly batchRows: Histogram
  readonly commitSeconds: Histogram
  /** Observed per message, so not prom-client's, which is slower. */
  readonly queueDwellSeconds: Observations
  readonly clients: ClientMetrics
  /** All current values, in the form that the primary adds up. */
  snapshot(status: IntakeStatus): Promise<MetricObject[]>
  close(): void
}

export function createWorkerMetrics(clients = new ClientMetrics()): WorkerMetrics {
  const registry = new Registry()
  const registers = [registry]
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: METRIC_PREFIX + name, help, buckets, registers })
  const gauge = (name: string, help: string, aggregator: 'sum' | 'max' | 'min'): Gauge =>
    new Gauge({ name: METRIC_PREFIX + name, help, aggregator, registers })

  collectDefaultMetrics({ register: registry })
  const inFlight = gauge('in_flight', 'Messages received and not yet settled', 'sum')
  const inFlightBytes = gauge('in_flight_bytes', 'Bytes of their bodies', 'sum')
  const held = gauge('held', 'Messages in flight that wait for their client’s quota', 'sum')
  const oldest = gauge('oldest_in_flight_seconds', 'Age of the oldest message in flight', 'max')
  const gateOpen = gauge(
    'gate_open',
    '1 while all workers receive, 0 while one is held back',
    'min'
  )
  const lag = gauge(
    'eventloop_lag_seconds',
    'Longest stall of a worker’s event loop within the last second',
    'max'
  )
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const queueDwellSeconds = new Observations(SECONDS_BUCKETS)

  return {
    batchRows: histogram(
      'batch_rows',
      'Messages per commit',
      [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]
    ),
    commitSeconds: histogram(
      'commit_seconds',
      'Time from the first attempt of a batch to its commit',
      SECONDS_BUCKETS
    ),
    queueDwellSeconds,
    clients,
    async snapshot(status) {
      inFlight.set(status.inFlight)
      inFlightBytes.set(status.inFlightBytes)
      held.set(status.held)
      oldest.set(status.oldestInFlightMs / 1_000)
      gateOpen.set(status.isGateOpen ? 1 : 0)
      // The timer itself fires every 10 ms; anything above that is the stall. An empty
      // histogram reports nonsense, hence the check.
      lag.set(delay.count === 0 ? 0 : Math.max(0, delay.max / 1e9 - 0.01))
      delay.reset()
      const dwell = queueDwellSeconds.toMetric(
        `${METRIC_PREFIX}queue_dwell_seconds`,
        'Time from sent (queue’s clock) to committed'
      )
      const byClient = clients.toMetric(
        `${METRIC_PREFIX}client_queue_dwell_seconds`,
        'Time from sent (queue’s clock) to committed, by client'
      )
      return [
        ...(await registry.getMetricsAsJSON()),
        dwell as MetricObject,
        byClient as MetricObject
      ]
    },
    close: () => delay.disable()
  }
}
