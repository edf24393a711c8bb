/** What a sender's worker counts, and what its primary reads from the database. */
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObject,
  Registry
} from 'prom-client'
import { Metrics } from '../../../engine/observe/metrics.js'
import type { OwedTotals } from '../delivery/store/deliveries.js'
import { METRIC_PREFIX } from './counters.js'
import { SECONDS_BUCKETS } from './worker-metrics.js'

export type AttemptOutcome = 'delivered' | 'retried' | 'dead'

export interface SenderMetrics {
  readonly eventsRead: Counter
  readonly deliveriesMade: Counter
  readonly attempts: Counter<'outcome'>
  readonly attemptSeconds: Histogram
  readonly firstAttemptDelaySeconds: Histogram
  readonly paused: Counter
  readonly disabled: Counter
  readonly ended: Counter
  readonly failed: Counter<'step'>
  snapshot(lanes: number): Promise<MetricObject[]>
}

/** Seconds: from deliveries attempted at once to those that wait for a later attempt. */
const DELAY_BUCKETS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400
]

export function createSenderMetrics(): SenderMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: METRIC_PREFIX + name, help, registers })
  const labelled = <Label extends string>(
    name: string,
    help: string,
    label: Label
  ): Counter<Label> =>
    new Counter({ name: METRIC_PREFIX + name, help, labelNames: [label], registers })
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: METRIC_PREFIX + name, help, buckets, registers })
  const lanes = new Gauge({
    name: `${METRIC_PREFIX}lanes`,
    help: 'Endpoints whose lane is being worked on',
    aggregator: 'sum',
    registers
  })
  return {
    eventsRead: counter('events_read_total', 'Stored events that the fan-out has read'),
    deliveriesMade: counter('deliveries_made_total', 'Deliveries that the fan-out has made'),
    attempts: labelled(
      'delivery_attempts_total',
      'Attempts, by what became of the delivery',
      'outcome'
    ),
    attemptSeconds: histogram(
      'delivery_attempt_seconds',
      'Time of an attempt, its answer included',
      SECONDS_BUCKETS
    ),
    firstAttemptDelaySeconds: histogram(
      'delivery_first_attempt_delay_seconds',
      'Time from stored to the first attempt',
      DELAY_BUCKETS
    ),
    paused: counter('endpoint_paused_total', 'Times that an endpoint was paused'),
    disabled: counter(
      'endpoint_disabled_total',
      'Endpoints that were disabled because of their failures'
    ),
    ended: counter(
      'deliveries_ended_total',
      'Deliveries that ended because their endpoint was disabled'
    ),
    failed: labelled(
      'sender_failed_total',
      'Steps of the sender that failed; all are tried again',
      'step'
    ),
    snapshot(working) {
      lanes.set(working)
      return registry.getMetricsAsJSON()
    }
  }
}

export interface SenderPrimaryMetrics {
  readonly metrics: Metrics
  /** What is owed, as last read from the database. */
  readonly read: (owed: OwedTotals) => void
}

/** A sender's `/metrics`: its workers' reports, and what is owed. */
export function createSenderPrimaryMetrics(): SenderPrimaryMetrics {
  const metrics = new Metrics(METRIC_PREFIX, {})
  const gauges: Readonly<Record<keyof Omit<OwedTotals, 'endpoints'>, Gauge>> = {
    pending: metrics.addGauge(
      'deliveries_pending',
      'Deliveries that are due or wait for their next attempt'
    ),
    dead: metrics.addGauge('deliveries_dead', 'Deliveries that were given up'),
    oldestDueS: metrics.addGauge(
      'delivery_oldest_due_seconds',
      'How long the oldest due delivery of an enabled endpoint has been due'
    ),
    lagS: metrics.addGauge(
      'sender_lag_seconds',
      'Age of the oldest stored event that the fan-out has not read'
    )
  }
  const byState = metrics.addGauge('endpoints', 'Endpoints by state', ['state'])
  return {
    metrics,
    read({ endpoints, ...figures }) {
      for (const [name, gauge] of Object.entries(gauges))
        gauge.set(figures[name as keyof typeof figures])
      for (const [state, count] of Object.entries(endpoints)) byState.set({ state }, count)
    }
  }
}
