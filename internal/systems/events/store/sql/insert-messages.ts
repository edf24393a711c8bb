import type { ClientBase } from 'pg'
import type { ReceivedMessage } from '../../../../engine/message/message.js'
import { toStorableText } from '../../../../engine/message/storable.js'
import { encodeIntArray, encodeTextArray } from '../../../../engine/postgres/array-parameter.js'
import type { ValidEvent } from '../../event/event.js'
import type { ParentRefusal } from '../refusal.js'

/** A valid event and the queue message that brought it. */
export interface MessageInsert {
  readonly message: ReceivedMessage
  readonly event: ValidEvent
}

/**
 * Why a row was not inserted: its queue message has a row of `rejection`, a parent is
 * unknown or disabled, or its key exists already.
 */
export type NotInserted = 'rejected-before' | 'exists' | ParentRefusal

export interface InsertedMessages {
  /** The transaction's id. */
  readonly xid: string
  /** The rows that were not inserted, by their index. */
  readonly exceptions: readonly (readonly [index: number, why: NotInserted])[]
}

// Order matters: two transactions that insert the same keys in different orders deadlock,
// so rows are inserted by key, in "C" order like the columns. If two rows of one batch
// share a key, the first is inserted; the event type tells which of the two it was.
//
// The parents are locked before the join reads them: a client deleted meanwhile is then
// an outcome of its rows, not an error (23503) of the whole batch. The foreign keys take
// the same lock anyway.
//
// Every row is looked up in `rejection`, not only redeliveries: an early delivery may
// have been delayed until a later one was rejected. That costs 1 of 22 µs of server CPU
// per row. It is a subquery, because a join planned while the table was empty would read
// all of it for each batch.
//
// Only exceptions are returned, and always at least one row for the transaction's id,
// which saves a second round trip. ON CONFLICT names its columns: if somebody adds
// another unique constraint, its violation must raise an error, not count as a duplicate.
const INSERT_MESSAGES = `
WITH c AS MATERIALIZED (
  SELECT name, disabled_at FROM client WHERE name = ANY ($6::text[]) ORDER BY name FOR KEY SHARE
), e AS MATERIALIZED (
  SELECT name, disabled_at FROM event_type WHERE name = ANY ($7::text[]) ORDER BY name FOR KEY SHARE
), i AS MATERIALIZED (
  SELECT t.*, CASE WHEN (SELECT true FROM rejection r WHERE r.queue_message_id = t.queue_message_id)
                     THEN 'rejected-before'
                   WHEN c.name IS NULL THEN 'unknown-client'
                   WHEN c.disabled_at IS NOT NULL THEN 'disabled-client'
                   WHEN e.name IS NULL THEN 'unknown-event-type'
                   WHEN e.disabled_at IS NOT NULL THEN 'disabled-event-type' END AS why
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $8::int4[])
       WITH ORDINALITY AS t (client, type, id, body, queue_message_id, schema_id, n)
  LEFT JOIN c ON c.name = t.client
  LEFT JOIN e ON e.name = t.type
), ins AS (
  INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message, event_schema_id)
  SELECT client, type, id, body::json, schema_id FROM i WHERE why IS NULL ORDER BY client COLLATE "C", id COLLATE "C", n
  ON CONFLICT (fk_client_name, message_id) DO NOTHING
  RETURNING fk_client_name, message_id, fk_event_type_name
)
SELECT pg_current_xact_id()::text, x.n, x.why
FROM (SELECT) AS always_one
LEFT JOIN (
  SELECT i.n::int, coalesce(i.why, 'exists') AS why
  FROM i LEFT JOIN ins ON ins.fk_client_name = i.client AND ins.message_id = i.id AND ins.fk_event_type_name = i.type
  WHERE ins.message_id IS NULL
) AS x ON true`

type Row = [xid: string, n: number | null, why: NotInserted | null]

/**
 * Inserts the rows whose parents exist and whose key does not. Rows must differ in
 * client, id or event type: two that are equal in all three would both count as inserted.
 */
export async function insertMessages(
  client: ClientBase,
  inserts: readonly MessageInsert[]
): Promise<InsertedMessages> {
  const clients = inserts.map(({ event }) => event.clientId)
  const eventTypes = inserts.map(({ event }) => event.eventType)
  const columns = [
    clients,
    eventTypes,
    inserts.map(({ event }) => event.messageId),
    inserts.map(({ event }) => event.payload),
    inserts.map(({ message }) => toStorableText(message.id)),
    [...new Set(clients)],
    [...new Set(eventTypes)]
  ]
  const values = columns.map(encodeTextArray)
  values.push(encodeIntArray(inserts.map(({ event }) => event.schemaId)))
  const { rows } = await client.query<Row>({
    name: 'insert-messages',
    text: INSERT_MESSAGES,
    values,
    rowMode: 'array'
  })
  const [first] = rows
  if (first === undefined) throw new Error('the insert returned no row')
  const exceptions: [number, NotInserted][] = []
  for (const [, n, why] of rows) if (n !== null && why !== null) exceptions.push([n - 1, why])
  return { xid: first[0], exceptions }
}
