import type { RejectionReason } from '../../event/event.js'
import type { EventRejection, EventRejectionFilter, EventRejectionHead } from '../records.js'
import { decodeBody, FILTER, filterValues, type Queryable } from './rejection-filter.js'

const HEAD = `
  queue_message_id AS "queueMessageId", origin_queue_message_id AS origin, client_name AS "clientId", event_type_name AS "eventType",
  message_id AS "messageId", reason, violations, receive_count AS "receiveCount", sent_at AS "sentAt", received_at AS "receivedAt",
  redriven_at AS "redrivenAt", octet_length(body) AS "bodyBytes"`

const LIST = `SELECT ${HEAD} FROM rejection WHERE ${FILTER} ORDER BY received_at DESC, queue_message_id DESC LIMIT $7`

const COUNT = `SELECT reason, count(*)::int AS count FROM rejection WHERE ${FILTER} GROUP BY reason ORDER BY count DESC, reason`

const OPEN_CURSOR = `
DECLARE rejections NO SCROLL CURSOR FOR
SELECT ${HEAD}, body, body_encoding AS "bodyEncoding" FROM rejection WHERE ${FILTER} ORDER BY received_at, queue_message_id LIMIT $7`

/**
 * Rows per round trip: bodies have up to 1 MiB each, and all of them are in memory at
 * once.
 */
const FETCH = 'FETCH 32 FROM rejections'

// Not OR: each part has an index of its own.
const IDS_OF_EVENT = `
SELECT queue_message_id AS id FROM rejection WHERE queue_message_id = $1::text
UNION SELECT queue_message_id FROM rejection WHERE origin_queue_message_id = $1::text
UNION SELECT queue_message_id FROM rejection WHERE message_id = $1::text AND client_name = $2::text`

export async function listRejections(
  db: Queryable,
  filter: EventRejectionFilter,
  limit: number
): Promise<readonly EventRejectionHead[]> {
  return (await db.query<EventRejectionHead>(LIST, [...filterValues(filter), limit])).rows
}

export async function countRejections(
  db: Queryable,
  filter: EventRejectionFilter
): Promise<ReadonlyMap<RejectionReason, number>> {
  const { rows } = await db.query<{ reason: RejectionReason; count: number }>(
    COUNT,
    filterValues(filter)
  )
  return new Map(rows.map(({ reason, count }) => [reason, count]))
}

type EncodedRecord = EventRejection & { readonly bodyEncoding: 'plain' | 'json-string' }

/** In a transaction of the caller's. */
export async function* readRejections(
  db: Queryable,
  filter: EventRejectionFilter,
  limit: number | null
): AsyncGenerator<EventRejection> {
  await db.query(OPEN_CURSOR, [...filterValues(filter), limit])
  for (;;) {
    const { rows } = await db.query<EncodedRecord>(FETCH)
    if (rows.length === 0) return
    for (const { bodyEncoding, body, ...head } of rows)
      yield { ...head, body: decodeBody(body, bodyEncoding) }
  }
}

/**
 * Queue message ids of rejections: of that queue message, of its redriven copies and,
 * where a client is given, of what its bodies call by this id.
 */
export async function findRejectedIds(
  db: Queryable,
  id: string,
  clientId: string | null
): Promise<readonly string[]> {
  return (await db.query<{ id: string }>(IDS_OF_EVENT, [id, clientId])).rows.map(row => row.id)
}
