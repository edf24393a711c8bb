/**
 * The words of the engine: what is received, what is decided about it, and why something
 * is refused.
 *
 * Shapes  plain readonly data; this file imports nothing and holds no behaviour beyond
 *         lists of names.
 * Source  internal/docs/architecture.md, "Event contract".
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
   * Of a redriven message: the MessageId under which the queue first accepted its event.
   */
  readonly origin?: string
}

/** A valid event, ready to become a row of `message`. */
export interface ValidEvent {
  readonly clientId: string
  readonly eventType: string
  /**
   * The row's `message_id`: the producer's `event_id`, else the MessageId under which the
   * queue first accepted it. Unique within the client.
   */
  readonly messageId: string
  /** JSON text of the `message` value, cut from the body unchanged. */
  readonly payload: string
  /**
   * The id of the schema version that accepted the payload; null where none is active for
   * it.
   */
  readonly schemaId: number | null
}

export const REJECTION_REASONS = [
  'not-json',
  'not-an-object',
  'missing-field',
  'invalid-field',
  'unknown-client',
  'unknown-event-type',
  'schema-violation',
  'over-quota',
  'conflict',
  'unstorable',
  'too-large',
  'too-deep'
] as const

/**
 * Why an event is refused for ever. A closed set: it is a metric label and a column that
 * people query.
 */
export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** One thing that is wrong with an event. */
export interface Violation {
  /** JSON pointer into the queue message body (RFC 6901); '' is the body itself. */
  readonly pointer: string
  /** The rule that was broken, e.g. `required`, `type`, `maxLength`, `depth`. */
  readonly keyword: string
  /** A sentence for the producer's developer: what is wrong and what would be right. */
  readonly message: string
}

/** A refused event: it becomes a row of `rejection` together with its body. */
export interface Rejection {
  readonly reason: RejectionReason
  readonly violations: readonly Violation[]
  /**
   * Client, event type and payload as sent, where the body got far enough to have them.
   */
  readonly clientId: string | null
  readonly eventType: string | null
  /**
   * The id and payload that the row of `message` would have had; null when the body does
   * not say.
   */
  readonly messageId: string | null
  readonly payload: string | null
}

/** What validation decides about one body. */
export type Verdict =
  | { readonly kind: 'valid'; readonly event: ValidEvent }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/** The final word about one message, true once its transaction has committed. */
export type Disposition = 'stored' | 'duplicate' | RejectionReason

/** A received message with its verdict, waiting for its commit. */
export interface Entry {
  readonly message: ReceivedMessage
  readonly verdict: Verdict
}
