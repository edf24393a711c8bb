/** The rejections that only the store can decide on: what they say to the producer's developer. */
import type { ReceivedMessage, Rejection, ValidEvent, Violation } from '../message/message.js'
import { firstId } from '../validate/decode.js'

export type StoreRefusal = 'unknown-client' | 'unknown-event-type' | 'conflict'

export function refuse(reason: StoreRefusal, event: ValidEvent, message: ReceivedMessage): Rejection {
  return { reason, violations: [explain(reason, event, message)], ...event }
}

function explain(reason: StoreRefusal, event: ValidEvent, message: ReceivedMessage): Violation {
  switch (reason) {
    case 'unknown-client':
      return {
        pointer: '/client_id',
        keyword: 'registered',
        message: 'client_id names no registered client: register it in the table client, or correct the name'
      }
    case 'unknown-event-type':
      return {
        pointer: '/event_type',
        keyword: 'registered',
        message: 'event_type names no registered event type: register it in the table event_type, or correct the name'
      }
    case 'conflict':
      return {
        pointer: event.messageId === firstId(message) ? '' : '/event_id',
        keyword: 'unique',
        message:
          'another event of this client is stored under the same id: send each event with an id of its own, and a repeated one unchanged'
      }
  }
}
