/** Messages between the bench and the process of a baseline. */
import type { AwsConfig } from '../../engine/queue/sqs/settings.js'
import type { Histogram } from './histogram.js'

export type BaselineName = 'naive' | 'per-receive' | 'receive-delete' | 'insert' | 'producers'

/** What a baseline's process gets as its one argument. */
export interface BaselineSpec {
  readonly name: BaselineName
  readonly aws: AwsConfig
  readonly queueUrl: string
  readonly dbConnection: string
  readonly pollers: number
  /** How many events there will be; only `insert` and `producers` need to know. */
  readonly events: number
}

export type FromBaseline =
  /** Ready: it works from now on. */
  | { readonly kind: 'receiving' }
  | { readonly kind: 'report'; readonly report: BaselineReport }
  | { readonly kind: 'failed'; readonly reason: string }

/** The only message to a baseline, which answers with a report. */
export interface ToBaseline {
  readonly kind: 'report?'
}

export interface BaselineReport {
  /** Settled events. */
  readonly settled: number
  /** Seconds from sent (the queue's SentTimestamp) to the answered commit. */
  readonly dwell: Histogram
}
