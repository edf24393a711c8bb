import type { ClientBase } from 'pg'
import type { RejectionReason } from '../../message/message.js'
import type { RejectionFilter, RejectionHead, RejectionRecord } from '../records.js'

/** What runs a statement: a client, or a pool. */
export type Queryable = Pick<ClientBase, 'query'>

export interface Conditions {
  /** Of a WHERE clause; `true` where there are none. */
  readonly text: string
  readonly values: unknown[]
}

const HEAD = `
  queue_message_id AS "queueMessageId", origin_queue_message_id AS origin, client_name AS "clientId", event_type_name AS "eventType",
  message_id AS "messageId", reason, violations, receive_count AS "receiveCount", sent_at AS "sentAt", received_at AS "receivedAt",
  redriven_at AS "redrivenAt", octet_length(body) AS "bodyBytes"`

type EncodedRecord = RejectionRecord & { readonly bodyEncoding: 'plain' | 'json-string' }

/** Only the conditions that are set are in the text, so that the planner sees which index serves them. */
export function conditionsOf({ ids, clientId, eventType, reason, since, isOpen }: RejectionFilter): Conditions {
  const values: unknown[] = []
  const terms: string[] = []
  const add = (value: unknown, term: (place: string) => string): void => {
    values.push(value)
    terms.push(term(`$${values.length}`))
  }
  if (ids !== null) add(ids, at => `queue_message_id = ANY (${at}::text[])`)
  // The index holds the start of the name; names are of any length.
  if (clientId !== null) add(clientId, at => `left(client_name, 100) COLLATE "C" = left(${at}::text, 100) AND client_name = ${at}::text`)
  if (eventType !== null) add(eventType, at => `event_type_name = ${at}::text`)
  if (reason !== null) add(reason, at => `reason = ${at}::text`)
  if (since !== null) add(since, at => `received_at >= ${at}::timestamptz`)
  if (isOpen) terms.push('redriven_at IS NULL')
  return { text: terms.length === 0 ? 'true' : terms.join(' AND '), values }
}

export async function listRejections(db: Queryable, filter: RejectionFilter, limit: number): Promise<readonly RejectionHead[]> {
  const { text, values } = conditionsOf(filter)
  const { rows } = await db.query<RejectionHead>(
    `SELECT ${HEAD} FROM rejection WHERE ${text} ORDER BY received_at DESC, queue_message_id DESC LIMIT $${values.length + 1}`,
    [...values, limit]
  )
  return rows
}

export async function countRejections(db: Queryable, filter: RejectionFilter): Promise<ReadonlyMap<RejectionReason, number>> {
  const { text, values } = conditionsOf(filter)
  const { rows } = await db.query<{ reason: RejectionReason; count: number }>(
    `SELECT reason, count(*)::int AS count FROM rejection WHERE ${text} GROUP BY reason ORDER BY count DESC, reason`,
    values
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
  const { text, values } = conditionsOf(filter)
  await db.query(
    `DECLARE rejections NO SCROLL CURSOR FOR
     SELECT ${HEAD}, body, body_encoding AS "bodyEncoding" FROM rejection WHERE ${text}
     ORDER BY received_at, queue_message_id LIMIT $${values.length + 1}`,
    [...values, limit]
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
const headsOf = (ids: string): string =>
  `SELECT ${HEAD} FROM rejection WHERE queue_message_id IN (${ids}) ORDER BY received_at, queue_message_id`

export async function findRejectionsOf(db: Queryable, clientId: string, messageId: string): Promise<readonly RejectionHead[]> {
  return (await db.query<RejectionHead>(headsOf(OF_EVENT), [messageId, clientId])).rows
}

export async function findRejectionsOfQueueMessage(db: Queryable, queueMessageId: string): Promise<readonly RejectionHead[]> {
  return (await db.query<RejectionHead>(headsOf(OF_QUEUE_MESSAGE), [queueMessageId])).rows
}

export function decodeBody(body: string, bodyEncoding: 'plain' | 'json-string'): string {
  return bodyEncoding === 'plain' ? body : (JSON.parse(body) as string)
}

function decoded({ bodyEncoding, body, ...head }: EncodedRecord): RejectionRecord {
  return { ...head, body: decodeBody(body, bodyEncoding) }
}
