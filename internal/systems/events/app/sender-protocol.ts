/**
 * What a sender's worker tells its primary, each second; its counters are added up as
 * they are, so the last second before a kill -9 may miss.
 */
import type { MetricObject } from 'prom-client'

export interface SenderReport {
  readonly kind: 'report'
  readonly metrics: readonly MetricObject[]
  readonly status: SenderStatus
}

export interface SenderStatus {
  /** Steps that fail at present, each with its reason. */
  readonly problems: readonly string[]
}
