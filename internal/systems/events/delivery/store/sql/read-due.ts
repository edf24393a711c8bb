import type { QueryResultRow } from 'pg'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DueDelivery } from '../deliveries.js'

// LIMIT 1 makes the server look up each message by its key. Otherwise, for a few hundred
// of them, it would read a table of a hundred thousand.
const READ_DUE = `
SELECT d.id::text AS id, d.attempts, d.attempts - d.schedule_began_after AS scheduled, d.message_id AS "messageId",
       m."eventType", m.payload, m."receivedAtMs"
FROM (
  SELECT id, attempts, schedule_began_after, fk_client_name, message_id, next_attempt_at FROM delivery
  WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at <= now() AND id <> ALL ($3::bigint[])
  ORDER BY endpoint_id, next_attempt_at, id LIMIT $2
) d
LEFT JOIN LATERAL (
  SELECT fk_event_type_name AS "eventType", message::text AS payload,
         extract(epoch FROM received_at)::float8 * 1000 AS "receivedAtMs"
  FROM message m WHERE m.fk_client_name = d.fk_client_name AND m.message_id = d.message_id LIMIT 1
) m ON true
ORDER BY d.next_attempt_at, d.id`

export interface DueRow extends Omit<DueDelivery, 'payload'>, QueryResultRow {
  /** Null: the message is gone. */
  readonly payload: string | null
}

export async function readDue(
  db: Queryable,
  endpointId: number,
  limit: number,
  exceptIds: readonly string[]
): Promise<readonly DueRow[]> {
  return (await db.query<DueRow>(READ_DUE, [endpointId, limit, exceptIds])).rows
}
