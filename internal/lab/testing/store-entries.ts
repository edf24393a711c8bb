/** Entries for a Store, with only the fields that a test is about. */

import type { Store } from '../../engine/intake/store.js'
import type { Disposition, Entry, Rejection, ValidEvent } from '../../engine/message/message.js'

/** When the queue took every message in here. */
export const SENT_AT_MS = 1_700_000_000_123

interface Delivery {
  /** The queue's MessageId. */
  readonly queueId?: string
  readonly receiveCount?: number
  readonly body?: string
  readonly origin?: string
}

/** An entry with a valid event; fields that a test does not name do not matter to it. */
export function valid(event: Partial<ValidEvent> = {}, delivery: Delivery = {}): Entry {
  const full: ValidEvent = {
    clientId: 'client-1',
    eventType: 'user-app',
    messageId: 'id-1',
    payload: '"hello"',
    schemaId: null,
    ...event
  }
  return {
    message: received({ queueId: `queue-${full.messageId}`, ...delivery }),
    verdict: { kind: 'valid', event: full }
  }
}

/** An entry with a refused body. */
export function refused(rejection: Partial<Rejection> = {}, delivery: Delivery = {}): Entry {
  const nothing = { clientId: null, eventType: null, messageId: null, payload: null }
  const violations = [{ pointer: '', keyword: 'json', message: 'the body is not JSON' }]
  return {
    message: received(delivery),
    verdict: {
      kind: 'rejected',
      rejection: { reason: 'not-json', violations, ...nothing, ...rejection }
    }
  }
}

function received({
  queueId = 'queue-id',
  receiveCount = 1,
  body = 'the body',
  ...origin
}: Delivery): Entry['message'] {
  return {
    id: queueId,
    token: 'handle',
    body,
    bytes: Buffer.byteLength(body),
    receiveCount,
    sentAtMs: SENT_AT_MS,
    ...origin
  }
}

export async function insert(
  store: Store,
  ...batch: readonly Entry[]
): Promise<readonly Disposition[]> {
  return store.insert(batch, async () => undefined)
}

/** JSON texts that a parser, a driver or another column type would change or refuse. */
export const PAYLOADS = [
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
