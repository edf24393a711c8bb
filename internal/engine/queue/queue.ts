/**
 * The port to a queue: receive, settle, send. It knows no broker.
 *
 * Shapes  messages come in by push (`deliver`), because poll loops and consumers belong
 *         to the adapter. Lists may have any length: an adapter whose broker limits its
 *         calls divides them. What a broker may lack is an object or null, so that the
 *         compiler asks every caller for the other case. A message that is delivered
 *         again while it is in flight is settled by its newest receipt; an adapter never
 *         hands out two different messages under one id at the same time.
 * Units   seconds, UTF-8 bytes.
 * Errors  a settle call resolves with the entries that failed, and rejects (QueueError)
 *         only when none of them was answered for. `send` has an outcome for each
 *         message, whatever happens to its calls. Receive errors go to `onError`, and the
 *         adapter itself backs off and goes on.
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
   * False where the same call can never succeed (an outdated receipt); the message then
   * comes back by itself or is gone already.
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
   * Ends all receiving; what a late answer still brings is given back to the queue. May
   * be called twice.
   */
  stop(): Promise<void>
}

/** What one call to the broker holds at most. */
export interface QueueLimits {
  /** Messages that one receive brings. */
  readonly receive: number
  /** Receipts that one settle call takes; a caller with less may wait for more. */
  readonly settle: number
}

/** A message in flight is invisible to others for a time, and then comes back. */
export interface Leases {
  /** How long that is after a receive. */
  readonly seconds: number
  /** Begins that time anew: `seconds` from now. */
  extend(receipts: readonly Receipt[], seconds: number): Promise<readonly SettleFailure[]>
}

/** A place of the broker's own for messages that nobody is to receive again. */
export interface DeadLetters {
  /** Moves messages there; they are settled by it. */
  put(receipts: readonly Receipt[]): Promise<readonly SettleFailure[]>
}

/** How many messages a queue holds; the queue's own estimate. */
export interface QueueDepth {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

/** For people's tools: looking into a queue without receiving from it for good. */
export interface QueueInspection {
  /**
   * One receive of up to `max` messages (`limits.receive` at most), which then stay
   * invisible to others for `seconds`. Nothing came: nothing is visible just now. Like
   * every receive it raises the receive counts.
   */
  take(max: number, seconds: number): Promise<readonly ReceivedMessage[]>
  depth(): Promise<QueueDepth>
}

export interface Queue {
  readonly limits: QueueLimits
  /**
   * Whether `receiveCount` is the broker's own count of deliveries. Where it is not, the
   * count is always 1 and says nothing.
   */
  readonly countsDeliveries: boolean
  /** Null where a message is in flight for as long as its receiver is connected. */
  readonly leases: Leases | null
  /**
   * Null where no call moves a message there. SQS does so itself, after a number of
   * receives (the redrive policy): a message that is to go there is left alone until
   * then. Sending a copy there and deleting the message would give it a new id, count and
   * time, and after a crash in between it would lie in both queues.
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
  /**
   * Of a copy: the id under which the message was first accepted (origin.ts).
   */
  readonly origin?: string
  /**
   * Whose turn it takes, where the queue hands out messages in fair turns between groups.
   */
  readonly group?: string
  /** How long nobody receives it: whole seconds, `limits.delayS` at most. */
  readonly delayS?: number
}

/** What became of one sent message: the id that it got, or the code of its failure. */
export type SendOutcome =
  | { readonly id: string }
  | { readonly code: string; readonly retryable: boolean }

/** What the broker takes of a sender. */
export interface SendLimits {
  /** Messages that one call holds: longer lists take several, one after the other. */
  readonly entries: number
  /** Of one message, and of all that one call holds. */
  readonly bytes: number
  /** The longest delay; 0 where there is none. */
  readonly delayS: number
}

/** The senders' side of the queue. */
export interface QueueWriter {
  readonly limits: SendLimits
  /** False when the queue could never take this message, whatever is tried. */
  takes(message: OutgoingMessage): boolean
  /**
   * Sends messages; outcomes in the same order. A message has an id only once the queue
   * has confirmed that it keeps it. After a call that failed as a whole no further one is
   * made: all that is left has its code, and may be sent again.
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
