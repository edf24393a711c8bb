import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { BackfillPage, EventPlace, MovedPage } from '../delivery-records.js'

/** A statement reads at most this many events, however few of them match. */
const MAX_READ = 5_000

// Reads only up to the sender's cursor: the sender itself makes the deliveries beyond it.
const PAGE = `
e AS MATERIALIZED (
  SELECT id, fk_client_name, event_types, is_ordered FROM endpoint WHERE id = $1 AND state = 'enabled'
), read AS MATERIALIZED (
  SELECT m.tx, m.fk_client_name, m.message_id, m.fk_event_type_name, m.received_at
  FROM sender_cursor c CROSS JOIN LATERAL (
    SELECT tx, fk_client_name, message_id, fk_event_type_name, received_at FROM message
    WHERE tx >= $2::xid8 AND (tx, fk_client_name, message_id) > ($2::xid8, $3::text, $4::text)
      AND tx <= c.tx AND (tx, fk_client_name, message_id) <= (c.tx, c.fk_client_name, c.message_id)
    ORDER BY tx, fk_client_name, message_id LIMIT ${MAX_READ}
  ) m
), page AS MATERIALIZED (
  SELECT r.tx, r.fk_client_name, r.message_id, e.id AS endpoint_id, e.is_ordered
  FROM read r
  JOIN e ON e.fk_client_name = r.fk_client_name
        AND (e.event_types IS NULL OR r.fk_event_type_name = ANY (e.event_types))
  WHERE r.received_at >= $5::timestamptz AND ($6::timestamptz IS NULL OR r.received_at < $6)
    AND ($7::text IS NULL OR r.fk_event_type_name = $7)
    AND NOT EXISTS (
      SELECT FROM delivery d
      WHERE d.fk_client_name = r.fk_client_name AND d.message_id = r.message_id AND d.endpoint_id = e.id
    )
  ORDER BY r.tx, r.fk_client_name, r.message_id LIMIT $8
)`

// A full page ends with its last row, any other with the last row read.
const ANSWER = `
last AS (
  SELECT tx, fk_client_name, message_id FROM (
    SELECT tx, fk_client_name, message_id FROM page WHERE (SELECT count(*) FROM page) >= $8
    UNION ALL
    SELECT tx, fk_client_name, message_id FROM read WHERE (SELECT count(*) FROM page) < $8
  ) p ORDER BY tx DESC, fk_client_name DESC, message_id DESC LIMIT 1
)`
const SELECT_LAST = `
EXISTS (SELECT FROM e) AS "isEnabled", (SELECT tx::text FROM last) AS tx,
(SELECT fk_client_name FROM last) AS client, (SELECT message_id FROM last) AS "messageId"`

const BACKFILL = `
WITH ${PAGE}, ${ANSWER}, made AS (
  INSERT INTO delivery (endpoint_id, fk_client_name, message_id, next_attempt_at)
  SELECT endpoint_id, fk_client_name, message_id, CASE WHEN is_ordered THEN '-infinity' ELSE now() END
  FROM page ORDER BY tx, fk_client_name, message_id
  ON CONFLICT DO NOTHING
  RETURNING id
)
SELECT (SELECT count(*)::int FROM made) AS deliveries, ${SELECT_LAST}`

const COUNT = `WITH ${PAGE}, ${ANSWER} SELECT (SELECT count(*)::int FROM page) AS deliveries, ${SELECT_LAST}`

interface Row {
  readonly deliveries: number
  readonly isEnabled: boolean
  readonly tx: string | null
  readonly client: string | null
  readonly messageId: string | null
}

export async function backfillDeliveries(
  db: Queryable,
  page: BackfillPage
): Promise<MovedPage<EventPlace> | null> {
  const { endpointId, after, since, until, eventType, maxRows, isMade } = page
  const { rows } = await db.query<Row>(isMade ? BACKFILL : COUNT, [
    endpointId,
    ...after,
    since,
    until,
    eventType,
    maxRows
  ])
  const [row] = rows
  if (row?.isEnabled !== true) return null
  const { deliveries, tx, client, messageId } = row
  return {
    deliveries,
    last: tx === null || client === null || messageId === null ? null : [tx, client, messageId]
  }
}
