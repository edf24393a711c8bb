/**
 * The port to a queue: receive, settle, send. It knows no broker.
 *
 * Shapes  messages come in by push (`deliver`), because poll loops and consumers belong
 *         to the adapter. Lists may have any length: an adapter splits them if its broker
 *         limits its calls. What a broker may lack is an object or null, so that the
 *         compiler makes every caller handle null. A message that is delivered again
 *         while in flight is settled by its newest receipt; an adapter never hands out
 *         two different messages under one id at the same time.
 * Units   seconds, UTF-8 bytes.
 * Errors  a settle call resolves with the entries that failed, and rejects (QueueError)
 *         only when none of them got an answer. `send` has an outcome for each message,
 *         whatever happens to its calls. Receive errors go to `onError`; the adapter
 *         itself backs off and goes on.
 * Source  internal/docs/decisions/0015-queue-port.md
 */
import type { ReceivedMessage } from '../message/message.js'

/** What settles one delivery. */
export interface Receipt {
  readonly id: string
  /** A text that only the adapter reads. */
  readonly token: string
}

/** An entry of a settle call that did not succeed. */
export interface SettleFailure {
  readonly id: string
  /** The broker's error code, e.g. `InternalError`. */
  readonly code: string
  /**
   * False if the same call can never succeed (an outdated receipt); the message then
   * comes back by itself or is already gone.
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
  /** A receive failed; the adapter waits before it receives again. */
  readonly onError: (error: QueueError) => void
  /** A receive came back, with messages or empty: the queue answers. */
  readonly onReceive: () => void
}

/** Receives under way, until they are stopped. */
export interface Receiving {
  /**
   * Ends all receiving; messages of a late answer are given back to the queue. May be
   * called twice.
   */
  stop(): Promise<void>
}

/** The most that one call to the broker holds. */
export interface QueueLimits {
  /** Messages that one receive brings. */
  readonly receive: number
  /** Receipts that one settle call takes; a caller with fewer may wait for more. */
  readonly settle: number
}

/** A message in flight is invisible to others for a time, and then comes back. */
export interface Leases {
  /** How long, after a receive. */
  readonly seconds: number
  /** Makes that time end `seconds` from now. */
  extend(receipts: readonly Receipt[], seconds: number): Promise<readonly SettleFailure[]>
}

/** The broker's own place for messages that nobody should receive again. */
export interface DeadLetters {
  /** Moves messages there, which settles them. */
  put(receipts: readonly Receipt[]): Promise<readonly SettleFailure[]>
}

/** How many messages a queue holds; the queue's own estimate. */
export interface QueueDepth {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

/** For people's tools: looks into a queue without taking messages for good. */
export interface QueueInspection {
  /**
   * One receive of up to `max` messages (`limits.receive` at most), which then stay
   * invisible to others for `seconds`. An empty list: nothing is visible now. Like every
   * receive it raises the receive counts.
   */
  take(max: number, seconds: number): Promise<readonly ReceivedMessage[]>
  depth(): Promise<QueueDepth>
}

export interface Queue {
  readonly limits: QueueLimits
  /**
   * Whether `receiveCount` is the broker's own count of deliveries. If not, the count is
   * always 1 and means nothing.
   */
  readonly countsDeliveries: boolean
  /** Null if a message stays in flight for as long as its receiver is connected. */
  readonly leases: Leases | null
  /**
   * Null if no call moves a message there. SQS does it by itself after a number of
   * receives (the redrive policy); until then the message is left alone. Sending a copy
   * there and deleting the message would give it a new id, count and time, and a crash in
   * between would leave it in both queues.
   */
  readonly deadLetters: DeadLetters | null
  readonly inspect: QueueInspection | null
  receive(options: ReceiveOptions): Receiving
  /** Removes messages for good. */
  ack(receipts: readonly Receipt[]): Promise<readonly SettleFailure[]>
  /** Gives messages back: the queue hands them out again at once. */
  nack(receipts: readonly Receipt[]): Promise<readonly SettleFailure[]>
  close(): Promise<void>
}

/** A queue that people's tools can look into. */
export interface InspectableQueue extends Queue {
  readonly inspect: QueueInspection
}

/** A message to be sent. */
export interface OutgoingMessage {
  readonly body: string
  /** For a copy: the id under which the message was first accepted (origin.ts). */
  readonly origin?: string
  /**
   * Whose turn it takes, if the queue hands out messages in fair turns between groups.
   */
  readonly group?: string
  /** How long nobody receives it: whole seconds, at most `limits.delayS`. */
  readonly delayS?: number
}

/** The outcome of one sent message: its id, or the code of its failure. */
export type SendOutcome =
  | { readonly id: string }
  | { readonly code: string; readonly retryable: boolean }

/** What the broker accepts from a sender. */
export interface SendLimits {
  /** Messages in one call; longer lists take several calls, one after the other. */
  readonly entries: number
  /** In one message, and in all messages of one call. */
  readonly bytes: number
  /** The longest delay; 0 where there is none. */
  readonly delayS: number
}

/** The senders' side of the queue. */
export interface QueueWriter {
  readonly limits: SendLimits
  /** False if the queue can never accept this message. */
  takes(message: OutgoingMessage): boolean
  /**
   * Sends messages; the outcomes have the same order. A message has an id only once the
   * queue has confirmed that it keeps it. After a call that failed as a whole no further
   * one is made: the remaining messages get its code, and may be sent again.
   */
  send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]>
  close(): Promise<void>
}

/** A call to the queue failed as a whole. */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  /**
   * The broker's or the network's error code, e.g. `ThrottlingException`, `ECONNREFUSED`.
   */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
