/**
 * An event as the intake sees it: valid, or refused with the reason.
 *
 * Source  internal/docs/architecture.md, "Event contract".
 */
import type { Entry, Rejection, Verdict } from '../../../engine/message/message.js'

/** A valid event, ready to become a row of `message`. */
export interface ValidEvent {
  readonly clientId: string
  readonly eventType: string
  /**
   * The row's `message_id`: the producer's `event_id`, or else the MessageId under which
   * the queue first accepted it. Unique per client.
   */
  readonly messageId: string
  /** JSON text of the `message` value, cut from the body unchanged. */
  readonly payload: string
  /** The schema version that accepted the payload; null if none is active for it. */
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

/** Why an event is refused for good. */
export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** A refused event: it becomes a row of `rejection` together with its body. */
export interface EventRejection extends Rejection {
  readonly reason: RejectionReason
  /** Client, event type and payload as sent; null if the body does not give them. */
  readonly clientId: string | null
  readonly eventType: string | null
  /** The id that the row of `message` would have had; null if it is not known. */
  readonly messageId: string | null
  readonly payload: string | null
}

export type EventVerdict = Verdict<ValidEvent, EventRejection>
export type EventEntry = Entry<ValidEvent, EventRejection>

/** The client that the body names, known or not; '' if it names none. */
export function clientOf({ verdict }: EventEntry): string {
  return (verdict.kind === 'valid' ? verdict.item.clientId : verdict.rejection.clientId) ?? ''
}
