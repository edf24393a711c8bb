import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DeliveryPlace, MovedPage, RedrivePage } from '../delivery-records.js'
import { DELIVERY_FILTER, deliveryFilterValues } from './delivery-filter.js'

// Skips rows that another redrive holds. Rows that died after the start are excluded:
// this redrive may have revived them itself. A new schedule begins; attempts keep
// counting.
const REDRIVE = `
WITH page AS MATERIALIZED (
  SELECT d.id, d.endpoint_id, e.is_ordered
  FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id AND e.state = 'enabled'
  WHERE d.state = 'dead' AND ${DELIVERY_FILTER}
    AND d.finished_at <= $8::timestamptz AND (d.endpoint_id, d.id) > ($9::int, $10::bigint)
  ORDER BY d.endpoint_id, d.id LIMIT $11
  FOR NO KEY UPDATE OF d SKIP LOCKED
), moved AS (
  UPDATE delivery d
  SET state = 'pending', dead_reason = NULL, finished_at = NULL, schedule_began_after = d.attempts,
      next_attempt_at = CASE WHEN p.is_ordered THEN '-infinity' ELSE now() END
  FROM page p WHERE d.id = p.id
  RETURNING d.endpoint_id, d.id
)
SELECT endpoint_id AS "endpointId", id::text AS id, count(*) OVER ()::int AS deliveries
FROM moved ORDER BY endpoint_id DESC, moved.id DESC LIMIT 1`

export async function redriveDeliveries(
  db: Queryable,
  { filter, startedAt, after, maxRows }: RedrivePage
): Promise<MovedPage<DeliveryPlace>> {
  const [afterEndpoint, afterId] = after ?? [0, '0']
  const { rows } = await db.query<{ endpointId: number; id: string; deliveries: number }>(REDRIVE, [
    ...deliveryFilterValues(filter),
    startedAt,
    afterEndpoint,
    afterId,
    maxRows
  ])
  const [last] = rows
  return last === undefined
    ? { deliveries: 0, last: null }
    : { deliveries: last.deliveries, last: [last.endpointId, last.id] }
}
