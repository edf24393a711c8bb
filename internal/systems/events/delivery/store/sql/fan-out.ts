import type { ClientBase } from 'pg'

// Reads only transactions below the snapshot's xmin. All of them have ended, so none can
// commit later behind the cursor. A cursor over a sequence or a time would miss rows of a
// transaction that was still open. Deliveries get their ids in page order; an ordered
// endpoint's deliveries fall due in id order.
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

// Reads a page along the index of transactions and sorts one transaction at a time.
// Without statistics the server would instead read and sort everything after the cursor,
// for each page again.
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

/** Runs in the caller's transaction, which also wakes the endpoints' lanes. */
export async function fanOut(client: ClientBase, maxEvents: number): Promise<FannedOut> {
  await client.query(ALONG_THE_INDEX)
  const { rows } = await client.query<FannedOut>(FAN_OUT, [maxEvents])
  const [row] = rows
  if (row === undefined) throw new Error('the fan-out answered without a row')
  return row
}
