/**
 * A refused message as a row of `rejection`, complete whatever its texts contain.
 *
 * Shapes  a text that PostgreSQL cannot hold (U+0000, lone surrogates) becomes its JSON
 *         string, quotes included; for the body, `bodyEncoding` says so.
 * Units   milliseconds since 1970.
 */
import type { ReceivedMessage, Violation } from '../../../engine/message/message.js'
import { isStorable, toStorableText } from '../../../engine/message/storable.js'
import type { EventRejection, RejectionReason } from '../event/event.js'

export interface RejectionRow {
  readonly queueMessageId: string
  /** For a redriven message, the MessageId under which its event was first accepted. */
  readonly originQueueMessageId: string | null
  readonly clientName: string | null
  readonly eventTypeName: string | null
  readonly messageId: string | null
  readonly reason: RejectionReason
  readonly violations: readonly Violation[]
  readonly body: string
  readonly bodyEncoding: 'plain' | 'json-string'
  readonly receiveCount: number
  /** Null if the queue's value is not a time that PostgreSQL can hold. */
  readonly sentAtMs: number | null
}

const INT4_MAX = 2_147_483_647
/** The end of the year 9999. */
const LAST_MS = 253_402_300_799_999

export function toRejectionRow(message: ReceivedMessage, rejection: EventRejection): RejectionRow {
  const { receiveCount, sentAtMs } = message
  return {
    queueMessageId: toStorableText(message.id),
    originQueueMessageId: message.origin ?? null,
    clientName: toStorableText(rejection.clientId),
    eventTypeName: toStorableText(rejection.eventType),
    messageId: toStorableText(rejection.messageId),
    reason: rejection.reason,
    violations: rejection.violations,
    body: toStorableText(message.body),
    bodyEncoding: isStorable(message.body) ? 'plain' : 'json-string',
    receiveCount: Math.min(Math.trunc(receiveCount) || 0, INT4_MAX),
    sentAtMs: sentAtMs >= 0 && sentAtMs <= LAST_MS ? sentAtMs : null
  }
}
