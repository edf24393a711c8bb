/**
 * The rejections that only the store can decide, in words for the producer's developer.
 */
import type { StoreError } from '../../../engine/intake/store.js'
import { firstId, type ReceivedMessage, type Violation } from '../../../engine/message/message.js'
import { toStorable } from '../../../engine/message/storable.js'
import type { EventRejection, RejectionReason, ValidEvent } from '../event/event.js'

/** A disabled parent has the same reason as an unknown one, with another message. */
export type ParentRefusal =
  | 'unknown-client'
  | 'disabled-client'
  | 'unknown-event-type'
  | 'disabled-event-type'
export type StoreRefusal = ParentRefusal | 'conflict'

const REASON_OF: Readonly<Record<StoreRefusal, RejectionReason>> = {
  'unknown-client': 'unknown-client',
  'disabled-client': 'unknown-client',
  'unknown-event-type': 'unknown-event-type',
  'disabled-event-type': 'unknown-event-type',
  conflict: 'conflict'
}

const MAX_REASON_CHARS = 500

/** The rejection of a valid event that PostgreSQL cannot hold. */
export function refuseUnstorable(event: ValidEvent, { code, message }: StoreError): EventRejection {
  // The message of a trigger may quote the whole row; the body is kept anyway.
  const words = toStorable(
    `PostgreSQL cannot hold this event (SQLSTATE ${code}): ${message}`,
    MAX_REASON_CHARS
  )
  const violations = [{ pointer: '', keyword: 'storable', message: words }]
  return { reason: 'unstorable', violations, ...event }
}

export function refuse(
  why: StoreRefusal,
  event: ValidEvent,
  message: ReceivedMessage
): EventRejection {
  return { reason: REASON_OF[why], violations: [explain(why, event, message)], ...event }
}

function explain(why: StoreRefusal, event: ValidEvent, message: ReceivedMessage): Violation {
  switch (why) {
    case 'unknown-client':
      return {
        pointer: '/client_id',
        keyword: 'registered',
        message:
          'client_id is not a registered client: ' +
          'register it in the table client, or correct the name'
      }
    case 'disabled-client':
      return {
        pointer: '/client_id',
        keyword: 'enabled',
        message: 'this client is disabled: have it enabled, then the event can be redriven'
      }
    case 'disabled-event-type':
      return {
        pointer: '/event_type',
        keyword: 'enabled',
        message: 'this event type is disabled: have it enabled, then the event can be redriven'
      }
    case 'unknown-event-type':
      return {
        pointer: '/event_type',
        keyword: 'registered',
        message:
          'event_type is not a registered event type: ' +
          'register it in the table event_type, or correct the name'
      }
    case 'conflict':
      return {
        pointer: event.messageId === firstId(message) ? '' : '/event_id',
        keyword: 'unique',
        message:
          'another event of this client is stored under the same id: ' +
          'give each event its own id, and repeat an event unchanged'
      }
  }
}
