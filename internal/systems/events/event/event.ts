/**
 * An event as the intake knows it: valid, or refused and why.
 *
 * Source  internal/docs/architecture.md, "Event contract".
 */
import type { Entry, Rejection, Verdict } from '../../../engine/message/message.js'

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

/** Why an event is refused for ever. */
export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** A refused event: it becomes a row of `rejection` together with its body. */
export interface EventRejection extends Rejection {
  readonly reason: RejectionReason
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

export type EventVerdict = Verdict<ValidEvent, EventRejection>
export type EventEntry = Entry<ValidEvent, EventRejection>

/**
 * The client that the body names, known or not; '' where it names none: those are one
 * group of their own.
 */
export function clientOf({ verdict }: EventEntry): string {
  return (verdict.kind === 'valid' ? verdict.item.clientId : verdict.rejection.clientId) ?? ''
}
