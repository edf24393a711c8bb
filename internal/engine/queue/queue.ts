/**
 * The port to the queue: receive, acknowledge, extend, send.
 *
 * Shapes  messages come in by push (`deliver`), because the poll loops belong to the
 *         adapter; settling goes out in lists of at most MAX_BATCH_ENTRIES with distinct
 *         ids, each entry with its own outcome.
 * Units   visibility in seconds, as the queue counts it.
 * Errors  `ack` and `extend` resolve with the entries that failed, and reject only when
 *         the call as a whole failed (QueueError); receive errors go to `onError`, and
 *         the adapter itself backs off and goes on.
 * Source  Amazon SQS API reference: 10 entries per batch call, entries fail one by one
 *         inside an HTTP 200.
 */
import type { ReceivedMessage } from '../message/message.js'

/** What one batch call of the queue may hold. */
export const MAX_BATCH_ENTRIES = 10

/** The token of one delivery. */
export interface Receipt {
  readonly id: string
  readonly receiptHandle: string
}

/** An entry of a settle call that did not succeed. */
export interface SettleFailure {
  readonly id: string
  /** The queue's error code, e.g. `ReceiptHandleIsInvalid`. */
  readonly code: string
  /**
   * False where the same call can never succeed (a stale handle); the message then comes
   * back by itself or is gone already.
   */
  readonly retryable: boolean
}

export interface ReceiveOptions {
  /**
   * Takes over the messages of one receive; returns at once. Never called after `stop`
   * was called.
   */
  readonly deliver: (messages: readonly ReceivedMessage[]) => void
  /** Asked before each receive: resolves when there is room for more. */
  readonly admit: () => Promise<void>
  /** A receive failed; the adapter waits before this poller's next one. */
  readonly onError: (error: QueueError) => void
  /** A receive came back, with messages or empty: the queue answers. */
  readonly onReceive: () => void
}

export interface Receiver {
  /**
   * Ends all polling; what a late answer still brings is given back to the queue. May be
   * called twice.
   */
  stop(): Promise<void>
}

/** How many messages a queue holds; the queue's own estimate. */
export interface QueueDepth {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

export interface Queue {
  receive(options: ReceiveOptions): Receiver
  /** Deletes up to MAX_BATCH_ENTRIES messages. */
  ack(receipts: readonly Receipt[]): Promise<readonly SettleFailure[]>
  /**
   * Makes up to MAX_BATCH_ENTRIES messages invisible for `seconds` from now; 0 hands them
   * out again at once.
   */
  extend(receipts: readonly Receipt[], seconds: number): Promise<readonly SettleFailure[]>
  depth(): Promise<QueueDepth>
  close(): Promise<void>
}

/**
 * A queue that people's tools look into, one receive at a time and without a poll loop.
 */
export interface InspectableQueue extends Queue {
  /**
   * One receive of up to `max` (at most MAX_BATCH_ENTRIES) messages, which then stay
   * invisible to others for `seconds`. Nothing came: nothing is visible just now. Like
   * every receive it raises the receive counts.
   */
  take(max: number, seconds: number): Promise<readonly ReceivedMessage[]>
}

/** A message to be sent. */
export interface OutgoingMessage {
  readonly body: string
  /**
   * Of a message that is redriven: the MessageId under which its event was first accepted
   * (origin.ts).
   */
  readonly origin?: string
  /**
   * Whose turn it takes, where the queue hands out messages in fair turns between groups:
   * the client.
   */
  readonly group?: string
  /** How long nobody receives it: 0 to 900 whole seconds. */
  readonly delayS?: number
}

/** What became of one sent message: its MessageId, or the code of its failure. */
export type SendOutcome =
  | { readonly id: string }
  | { readonly code: string; readonly retryable: boolean }

/** The producers' side of the queue. */
export interface QueueWriter {
  /**
   * Sends up to MAX_BATCH_ENTRIES messages (together at most 1 MiB); outcomes in the same
   * order. Rejects with QueueError as a whole.
   */
  send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]>
  close(): Promise<void>
}

/** A call to the queue failed as a whole. */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  /**
   * The queue's or the network's error code, e.g. `ThrottlingException`, `ECONNREFUSED`.
   */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
