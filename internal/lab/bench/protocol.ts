/** What the bench and the process of a measured subject tell each other. */
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
  /** Ready: from now on it works. */
  | { readonly kind: 'receiving' }
  | { readonly kind: 'report'; readonly report: BaselineReport }
  | { readonly kind: 'failed'; readonly reason: string }

/** The only thing that is said to a baseline: it answers with a report. */
export interface ToBaseline {
  readonly kind: 'report?'
}

export interface BaselineReport {
  /** Events that are done with. */
  readonly settled: number
  /** Seconds from sent (the queue's SentTimestamp) to the answered commit. */
  readonly dwell: Histogram
}
