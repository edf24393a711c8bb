/**
 * The messages between a primary and its workers over the cluster's channel. Those of one
 * worker arrive in order. A system adds kinds of its own.
 */
import type { Counts } from '../observe/counters.js'
import type { MetricSnapshot } from '../observe/worker-reports.js'

export interface ChannelMessage {
  readonly kind: string
}

/** From the primary: drain and exit. */
export interface StopMessage {
  readonly kind: 'stop'
}

/** From a worker, each second, and once more when it has drained. */
export interface WorkerReport<Status> {
  readonly kind: 'report'
  /** The sums of its counters so far. */
  readonly counts: Counts
  readonly metrics: readonly MetricSnapshot[]
  /** What /readyz needs to know about the worker. */
  readonly status: Status
}
