/** The counters of the processor. */

import type { CounterDefinitions } from '../../../engine/observe/counters.js'
import { REJECTION_REASONS } from '../event/event.js'

/** The prefix of the system's metric names. */
export const METRIC_PREFIX = 'event_process_'

export const PROCESSOR_COUNTERS = {
  received: { help: 'Messages received from the queue, redeliveries included' },
  redelivered: { help: 'Messages received that had been received before' },
  stored: { help: 'Events that became a row of message' },
  duplicate: { help: 'Messages whose event had been settled before: no second row' },
  rejected: {
    help: 'Events that became a row of rejection',
    label: 'reason',
    values: REJECTION_REASONS
  },
  flush: {
    help: 'Commits, by what made their batch leave',
    label: 'cause',
    values: ['messages', 'bytes', 'linger', 'free']
  },
  receive_failed: { help: 'Receives that failed' },
  delete_failed: { help: 'Deletes that failed, each attempt' },
  extend_failed: { help: 'Visibility extensions that failed' },
  sent_later: { help: 'Messages over their client’s quota that were sent again with a delay' },
  send_failed: { help: 'Messages that could not be sent again, each attempt' },
  store_failed: { help: 'Attempts to commit a batch that failed' },
  shadow_checked: {
    help: 'Messages that a shadow schema has checked (event type/client/version)',
    label: 'schema'
  },
  shadow_rejected: {
    help: 'Messages that a shadow schema would have rejected (event type/client/version)',
    label: 'schema'
  },
  left_to_queue: { help: 'Messages without a disposition that were left to the dead-letter queue' }
} as const satisfies CounterDefinitions

export type ProcessorCounter = keyof typeof PROCESSOR_COUNTERS
