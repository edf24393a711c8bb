/**
 * The counters of the processor: which there are, and how a worker keeps its own sums.
 *
 * A worker only adds; the primary owns the totals that people see (totals.ts). Keys of a
 * sums are `name` or `name/label value`.
 */
import { REJECTION_REASONS } from '../message/message.js'

interface CounterDefinition {
  readonly help: string
  readonly label?: string
  /**
   * The closed set of the label's values; where there is none, the values are those that
   * were counted, up to MAX_LABEL_VALUES.
   */
  readonly values?: readonly string[]
}

/** Further values of a label without a closed set are counted together, as `other`. */
export const MAX_LABEL_VALUES = 50
export const OTHER_LABEL = 'other'

export const COUNTERS = {
  received: { help: 'Messages received from the queue, redeliveries included' },
  redelivered: { help: 'Messages received that had been received before' },
  stored: { help: 'Events that became a row of message' },
  duplicate: { help: 'Messages whose event was settled before: no second row' },
  rejected: {
    help: 'Events that became a row of rejection',
    label: 'reason',
    values: REJECTION_REASONS
  },
  flush: {
    help: 'Commits by why their batch left',
    label: 'cause',
    values: ['messages', 'bytes', 'linger', 'free']
  },
  receive_failed: { help: 'Receives that failed' },
  delete_failed: { help: 'Deletes that failed, each attempt' },
  extend_failed: { help: 'Visibility extensions that failed' },
  sent_later: { help: 'Messages beyond their client’s quota that were sent again with a delay' },
  send_failed: { help: 'Messages that could not be sent again, each attempt' },
  store_failed: { help: 'Attempts to commit a batch that failed' },
  shadow_checked: {
    help: 'Messages that a shadow schema has looked at (event type/client/version)',
    label: 'schema'
  },
  shadow_rejected: {
    help: 'Messages that a shadow schema would have rejected (event type/client/version)',
    label: 'schema'
  },
  left_to_queue: { help: 'Messages without a disposition that were left to the dead-letter queue' }
} as const satisfies Record<string, CounterDefinition>

export type CounterName = keyof typeof COUNTERS

/** Sums by key; a plain object, because it travels between processes. */
export type Counts = Readonly<Record<string, number>>

export class CounterSums {
  readonly #counts: Record<string, number> = {}

  add(name: CounterName, amount: number, label?: string): void {
    if (amount === 0) return
    const key = label === undefined ? name : `${name}/${label}`
    this.#counts[key] = (this.#counts[key] ?? 0) + amount
  }

  addAll(counts: Counts): void {
    for (const [key, amount] of Object.entries(counts))
      this.#counts[key] = (this.#counts[key] ?? 0) + amount
  }

  get counts(): Counts {
    return this.#counts
  }
}
