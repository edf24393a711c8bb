/**
 * The words of the engine: what is received, what is decided about it, and why something
 * is refused. What a body holds is the system's own type, `Item`.
 *
 * Shapes  plain readonly data; this file imports nothing.
 */

/**
 * One delivery of a queue message, as received. Redelivery gives another one with the
 * same id and a new token.
 */
export interface ReceivedMessage {
  /** The queue's MessageId: stays the same over redeliveries. */
  readonly id: string
  /**
   * What settles this delivery, a text that only the adapter reads; the newest one of a
   * message is the one that counts.
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
   * Of a message that was sent again: the MessageId under which the queue first accepted
   * its body.
   */
  readonly origin?: string
}

/**
 * The MessageId under which the queue first accepted the body: that of its origin, where
 * the message was sent again.
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
 * A refused body: it is kept whole, with this, and never tried again. A system adds what
 * it keeps besides.
 */
export interface Rejection {
  /** One of the system's closed set: a metric label and a column that people query. */
  readonly reason: string
  readonly violations: readonly Violation[]
}

/** What validation decides about one body. */
export type Verdict<Item, Refused extends Rejection = Rejection> =
  | { readonly kind: 'valid'; readonly item: Item }
  | { readonly kind: 'rejected'; readonly rejection: Refused }

/** The final word about one message, true once its transaction has committed. */
export type Disposition<Reason extends string = string> = 'stored' | 'duplicate' | Reason

/** A received message with its verdict, waiting for its commit. */
export interface Entry<Item, Refused extends Rejection = Rejection> {
  readonly message: ReceivedMessage
  readonly verdict: Verdict<Item, Refused>
}
