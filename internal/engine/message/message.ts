/**
 * The words of the engine: received messages, the verdict about each, and reasons for
 * refusal. The content of a body is the system's own type, `Item`.
 *
 * Plain readonly data; this file imports nothing.
 */

/**
 * One delivery of a queue message, as received. A redelivery has the same id and a new
 * token.
 */
export interface ReceivedMessage {
  /** The queue's MessageId: the same for every delivery. */
  readonly id: string
  /**
   * Settles this delivery; only the adapter reads it. The newest token of a message is
   * the one that counts.
   */
  readonly token: string
  /** The body as sent, character for character. */
  readonly body: string
  /** Size of the body in UTF-8 bytes. */
  readonly bytes: number
  /** Deliveries so far, from 1, as counted by the queue. */
  readonly receiveCount: number
  /**
   * When the queue accepted the message: milliseconds since 1970 on the queue's clock.
   */
  readonly sentAtMs: number
  /**
   * For a message that was sent again: the MessageId under which the queue first accepted
   * its body.
   */
  readonly origin?: string
}

/**
 * The MessageId under which the queue first accepted the body: the origin of a message
 * that was sent again.
 */
export function firstId({ id, origin }: ReceivedMessage): string {
  return origin ?? id
}

/** One thing that is wrong with a body. */
export interface Violation {
  /** JSON pointer into the queue message body (RFC 6901); '' is the body itself. */
  readonly pointer: string
  /** The rule that was broken, e.g. `required`, `type`, `maxLength`, `depth`. */
  readonly keyword: string
  /** A sentence for the producer's developer: what is wrong and what would be right. */
  readonly message: string
}

/**
 * Why a body was refused. The body is kept whole with this and never tried again. A
 * system may add fields of its own.
 */
export interface Rejection {
  /**
   * One of the system's closed set of reasons: a metric label, and a column that people
   * query.
   */
  readonly reason: string
  readonly violations: readonly Violation[]
}

/** What validation decides about one body. */
export type Verdict<Item, Refused extends Rejection = Rejection> =
  | { readonly kind: 'valid'; readonly item: Item }
  | { readonly kind: 'rejected'; readonly rejection: Refused }

/** What became of one message; true once its transaction has committed. */
export type Disposition<Reason extends string = string> = 'stored' | 'duplicate' | Reason

/** A received message with its verdict, waiting for its commit. */
export interface Entry<Item, Refused extends Rejection = Rejection> {
  readonly message: ReceivedMessage
  readonly verdict: Verdict<Item, Refused>
}
