/** Entries of events, with only the fields that a test is about. */
import type { EventEntry, EventRejection, ValidEvent } from '../../systems/events/event/event.js'
import { makeEntry, type TestDelivery } from './store-entries.js'

/** An entry with a valid event; fields that a test does not name do not matter. */
export function valid(event: Partial<ValidEvent> = {}, delivery: TestDelivery = {}): EventEntry {
  const item: ValidEvent = {
    clientId: 'client-1',
    eventType: 'user-app',
    messageId: 'id-1',
    payload: '"hello"',
    schemaId: null,
    ...event
  }
  return makeEntry({ kind: 'valid', item }, { queueId: `queue-${item.messageId}`, ...delivery })
}

/** An entry with a refused body. */
export function rejected(
  rejection: Partial<EventRejection> = {},
  delivery: TestDelivery = {}
): EventEntry {
  return makeEntry({ kind: 'rejected', rejection: eventRejection(rejection) }, delivery)
}

/** The rejection of a body that has only what a test names. */
export function eventRejection(rejection: Partial<EventRejection> = {}): EventRejection {
  return {
    reason: 'not-json',
    violations: [{ pointer: '', keyword: 'json', message: 'the body is not JSON' }],
    clientId: null,
    eventType: null,
    messageId: null,
    payload: null,
    ...rejection
  }
}

/** JSON texts that a parser, a driver or another column type would change or refuse. */
export const TRICKY_PAYLOADS = [
  '"\\u0000 and \\ud800 and \\udc00\\ud800"',
  '{"a\\u0000b":"\\u0000"}',
  '{"huge":1e400,"tiny":1e-400,"exact":9007199254740993,"price":1.10,"minus":-0}',
  '{"a":1,"a":2,"b":3}',
  ' \t\r\n { "a" :\n[ 1 ,\t2 ] } ',
  '"Ünïcödé 日本語 🎫 \u2028 \ufeff"',
  '"\\u00fc \\/ \\" \\\\ \\b"',
  '["{\\"a\\": \\"}\\"", "\'; DROP TABLE message; --", "NULL", "\\\\N"]',
  `[${'['.repeat(60)}${']'.repeat(60)}]`,
  '""',
  'null'
]
