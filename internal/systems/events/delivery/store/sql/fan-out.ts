import type { ClientBase } from 'pg'

// Only transactions below the snapshot's xmin are read: all of them have ended, so none
// can commit later in front of the cursor. A cursor over a sequence or a time would pass
// by the rows of a transaction that was still open. Deliveries get their ids in the order
// of the page, and what is due of an ordered endpoint is due in the order of its ids.
const FAN_OUT = `
WITH c AS MATERIALIZED (
  SELECT tx, fk_client_name, message_id FROM sender_cursor FOR UPDATE SKIP LOCKED
), page AS MATERIALIZED (
  SELECT m.tx, m.fk_client_name, m.message_id, m.fk_event_type_name
  FROM c CROSS JOIN LATERAL (
    SELECT tx, fk_client_name, message_id, fk_event_type_name FROM message
    WHERE tx >= c.tx AND tx < pg_snapshot_xmin(pg_current_snapshot())
      AND (tx, fk_client_name, message_id) > (c.tx, c.fk_client_name, c.message_id)
    ORDER BY tx, fk_client_name, message_id
    LIMIT $1
  ) m
), made AS (
  INSERT INTO delivery (endpoint_id, fk_client_name, message_id, next_attempt_at)
  SELECT e.id, p.fk_client_name, p.message_id, CASE WHEN e.is_ordered THEN '-infinity' ELSE now() END
  FROM page p
  JOIN endpoint e ON e.fk_client_name = p.fk_client_name AND e.state = 'enabled'
                 AND (e.event_types IS NULL OR p.fk_event_type_name = ANY (e.event_types))
  ORDER BY p.tx, p.fk_client_name, p.message_id, e.id
  ON CONFLICT DO NOTHING
  RETURNING endpoint_id
), moved AS (
  UPDATE sender_cursor s SET tx = l.tx, fk_client_name = l.fk_client_name, message_id = l.message_id
  FROM (
    SELECT tx, fk_client_name, message_id FROM page ORDER BY tx DESC, fk_client_name DESC, message_id DESC LIMIT 1
  ) l
)
SELECT EXISTS (SELECT FROM c) AS "isOurs", (SELECT count(*)::int FROM page) AS events,
       (SELECT count(*)::int FROM made) AS deliveries, ARRAY(SELECT DISTINCT endpoint_id FROM made) AS endpoints`

// A page is read along the index of transactions and sorted one transaction at a time. A
// server without statistics would rather read and sort all that the cursor has in front
// of it, for each page anew.
const ALONG_THE_INDEX =
  'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off'

export interface FannedOut {
  /** False: another transaction holds the cursor. */
  readonly isOurs: boolean
  readonly events: number
  readonly deliveries: number
  /** Endpoints with new deliveries. */
  readonly endpoints: readonly number[]
}

/** Runs in a transaction of the caller's, which also wakes the endpoints' lanes. */
export async function fanOut(client: ClientBase, maxEvents: number): Promise<FannedOut> {
  await client.query(ALONG_THE_INDEX)
  const { rows } = await client.query<FannedOut>(FAN_OUT, [maxEvents])
  const [row] = rows
  if (row === undefined) throw new Error('the fan-out answered without a row')
  return row
}
