import type { ClientBase } from 'pg'
import { encodeTextArray } from '../../../../engine/postgres/array-parameter.js'
import type { ValidEvent } from '../../event/event.js'
import type { RejectionRow } from '../rejection-row.js'

/**
 * A rejection, and the event in its body: the row is left out if exactly that event is
 * stored.
 */
export interface RejectionInsert {
  readonly row: RejectionRow
  readonly event: ValidEvent | null
}

export interface InsertedRejections {
  /** The transaction's id. */
  readonly xid: string
  /** Queue message ids of the rows that are new. */
  readonly inserted: ReadonlySet<string>
}

// Rows are inserted by key, for the reason given in insert-messages.ts; all transactions
// write `message` first and `rejection` second. A redelivery of a rejected message finds
// its row and does nothing. A redelivery of a stored message may be judged differently,
// because its payload schema became stricter. It finds its event in `message`, so no
// event is both stored and rejected. That lookup is a subquery, for the reason given
// there too.
const INSERT_REJECTIONS = `
WITH i AS MATERIALIZED (
  SELECT t.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
              $14::text[], $15::text[])
       AS t (queue_message_id, client_name, event_type_name, message_id, reason, violations, body,
             body_encoding, receive_count, sent_at_ms, origin, stored_client, stored_type,
             stored_id, stored_body)
  WHERE (
    SELECT true FROM message m
    WHERE m.fk_client_name = t.stored_client AND m.message_id = t.stored_id
      AND m.fk_event_type_name = t.stored_type AND m.message::text = t.stored_body
  ) IS NULL
), ins AS (
  INSERT INTO rejection (queue_message_id, client_name, event_type_name, message_id, reason,
                         violations, body, body_encoding, receive_count, sent_at,
                         origin_queue_message_id)
  SELECT queue_message_id, client_name, event_type_name, message_id, reason, violations::json, body,
         body_encoding, receive_count::int, to_timestamp(sent_at_ms::float8 / 1000), origin
  FROM i ORDER BY queue_message_id COLLATE "C"
  ON CONFLICT (queue_message_id) DO NOTHING
  RETURNING queue_message_id
)
SELECT pg_current_xact_id()::text, ins.queue_message_id
FROM (SELECT) AS always_one LEFT JOIN ins ON true`

/** Inserts the rows whose queue message has no row yet and whose event is not stored. */
export async function insertRejections(
  client: ClientBase,
  rejections: readonly RejectionInsert[]
): Promise<InsertedRejections> {
  const rows = rejections.map(({ row }) => row)
  const events = rejections.map(({ event }) => event)
  const columns = [
    rows.map(row => row.queueMessageId),
    rows.map(row => row.clientName),
    rows.map(row => row.eventTypeName),
    rows.map(row => row.messageId),
    rows.map(row => row.reason),
    rows.map(row => JSON.stringify(row.violations)),
    rows.map(row => row.body),
    rows.map(row => row.bodyEncoding),
    rows.map(row => String(row.receiveCount)),
    rows.map(row => (row.sentAtMs === null ? null : String(row.sentAtMs))),
    rows.map(row => row.originQueueMessageId),
    events.map(event => event?.clientId ?? null),
    events.map(event => event?.eventType ?? null),
    events.map(event => event?.messageId ?? null),
    events.map(event => event?.payload ?? null)
  ]
  const result = await client.query<[xid: string, queueMessageId: string | null]>({
    name: 'insert-rejections',
    text: INSERT_REJECTIONS,
    values: columns.map(encodeTextArray),
    rowMode: 'array'
  })
  const [first] = result.rows
  if (first === undefined) throw new Error('the insert returned no row')
  const inserted = new Set<string>()
  for (const [, id] of result.rows) if (id !== null) inserted.add(id)
  return { xid: first[0], inserted }
}
