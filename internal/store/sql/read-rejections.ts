import type { ClientBase } from 'pg'
import type { RejectionReason } from '../../message/message.js'
import type { RejectionFilter, RejectionHead, RejectionRecord } from '../records.js'

/** What runs a statement: a client, or a pool. */
export type Queryable = Pick<ClientBase, 'query'>

const HEAD = `
  queue_message_id AS "queueMessageId", origin_queue_message_id AS origin, client_name AS "clientId", event_type_name AS "eventType",
  message_id AS "messageId", reason, violations, receive_count AS "receiveCount", sent_at AS "sentAt", received_at AS "receivedAt",
  redriven_at AS "redrivenAt", octet_length(body) AS "bodyBytes"`

type EncodedRecord = RejectionRecord & { readonly bodyEncoding: 'plain' | 'json-string' }

/** $1 to $6, as `valuesOf` gives them. A parameter that is null is no condition, and the planner knows it: it plans with the values. */
export const MATCHES = `($1::text[] IS NULL OR queue_message_id = ANY ($1::text[]))
  -- The index holds the start of the name; names are of any length.
  AND ($2::text IS NULL OR left(client_name, 100) COLLATE "C" = left($2::text, 100) AND client_name = $2::text)
  AND ($3::text IS NULL OR event_type_name = $3::text)
  AND ($4::text IS NULL OR reason = $4::text)
  AND ($5::timestamptz IS NULL OR received_at >= $5::timestamptz)
  AND (NOT $6::boolean OR redriven_at IS NULL)`

export function valuesOf({ ids, clientId, eventType, reason, since, isOpen }: RejectionFilter): unknown[] {
  return [ids, clientId, eventType, reason, since, isOpen]
}

export async function listRejections(db: Queryable, filter: RejectionFilter, limit: number): Promise<readonly RejectionHead[]> {
  const { rows } = await db.query<RejectionHead>(
    `SELECT ${HEAD} FROM rejection WHERE ${MATCHES} ORDER BY received_at DESC, queue_message_id DESC LIMIT $7`,
    [...valuesOf(filter), limit]
  )
  return rows
}

export async function countRejections(db: Queryable, filter: RejectionFilter): Promise<ReadonlyMap<RejectionReason, number>> {
  const { rows } = await db.query<{ reason: RejectionReason; count: number }>(
    `SELECT reason, count(*)::int AS count FROM rejection WHERE ${MATCHES} GROUP BY reason ORDER BY count DESC, reason`,
    valuesOf(filter)
  )
  return new Map(rows.map(({ reason, count }) => [reason, count]))
}

export async function findRejection(db: Queryable, queueMessageId: string): Promise<RejectionRecord | null> {
  const { rows } = await db.query<EncodedRecord>(
    `SELECT ${HEAD}, body, body_encoding AS "bodyEncoding" FROM rejection WHERE queue_message_id = $1`,
    [queueMessageId]
  )
  return rows[0] === undefined ? null : decoded(rows[0])
}

/** Rows per round trip: bodies have up to 1 MiB each, and all of them are in memory at once. */
const FETCH_ROWS = 32

/** In a transaction of the caller's. */
export async function* readRejections(db: Queryable, filter: RejectionFilter, limit: number | null): AsyncGenerator<RejectionRecord> {
  await db.query(
    `DECLARE rejections NO SCROLL CURSOR FOR
     SELECT ${HEAD}, body, body_encoding AS "bodyEncoding" FROM rejection WHERE ${MATCHES}
     ORDER BY received_at, queue_message_id LIMIT $7`,
    [...valuesOf(filter), limit]
  )
  for (;;) {
    const { rows } = await db.query<EncodedRecord>(`FETCH ${FETCH_ROWS} FROM rejections`)
    if (rows.length === 0) return
    for (const row of rows) yield decoded(row)
  }
}

// Not OR: each part has an index of its own.
const OF_QUEUE_MESSAGE = `
  SELECT queue_message_id FROM rejection WHERE queue_message_id = $1::text
  UNION SELECT queue_message_id FROM rejection WHERE origin_queue_message_id = $1::text`
const OF_EVENT = `${OF_QUEUE_MESSAGE}
  UNION SELECT queue_message_id FROM rejection WHERE message_id = $1::text AND client_name = $2::text`
const HEADS_OF_EVENT = `SELECT ${HEAD} FROM rejection WHERE queue_message_id IN (${OF_EVENT}) ORDER BY received_at, queue_message_id`
const HEADS_OF_QUEUE_MESSAGE = `SELECT ${HEAD} FROM rejection WHERE queue_message_id IN (${OF_QUEUE_MESSAGE}) ORDER BY received_at, queue_message_id`

export async function findRejectionsOf(db: Queryable, clientId: string, messageId: string): Promise<readonly RejectionHead[]> {
  return (await db.query<RejectionHead>(HEADS_OF_EVENT, [messageId, clientId])).rows
}

export async function findRejectionsOfQueueMessage(db: Queryable, queueMessageId: string): Promise<readonly RejectionHead[]> {
  return (await db.query<RejectionHead>(HEADS_OF_QUEUE_MESSAGE, [queueMessageId])).rows
}

export function decodeBody(body: string, bodyEncoding: 'plain' | 'json-string'): string {
  return bodyEncoding === 'plain' ? body : (JSON.parse(body) as string)
}

function decoded({ bodyEncoding, body, ...head }: EncodedRecord): RejectionRecord {
  return { ...head, body: decodeBody(body, bodyEncoding) }
}
