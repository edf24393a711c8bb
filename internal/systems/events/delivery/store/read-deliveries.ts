import type { Queryable } from '../../store/sql/rejection-filter.js'
import { DELIVERY_FILTER, deliveryFilterValues } from './delivery-filter.js'
import type { AttemptRecord, DeliveryFilter, DeliveryRecord, EventKey } from './delivery-records.js'

const COLUMNS = `d.id::text AS id, d.endpoint_id AS "endpointId", d.fk_client_name AS client, d.message_id AS "messageId",
  (SELECT m.fk_event_type_name FROM message m WHERE m.fk_client_name = d.fk_client_name AND m.message_id = d.message_id) AS "eventType",
  d.state, d.dead_reason AS "deadReason", d.attempts,
  CASE WHEN d.state = 'pending' THEN nullif(greatest(d.next_attempt_at,
    (SELECT e.paused_until FROM endpoint e WHERE e.id = d.endpoint_id AND e.paused_until > now())), '-infinity') END AS "nextAttemptAt",
  d.created_at AS "createdAt", d.finished_at AS "finishedAt"`

const LIST = `SELECT ${COLUMNS} FROM delivery d WHERE ${DELIVERY_FILTER} ORDER BY d.id DESC LIMIT $8`

// Each half has a partial index that is as long as its answer.
const COUNT = `
SELECT (SELECT count(*)::int FROM delivery d WHERE d.state = 'pending' AND ${DELIVERY_FILTER}) AS pending,
       (SELECT count(*)::int FROM delivery d WHERE d.state = 'dead' AND ${DELIVERY_FILTER}) AS dead`

const OF_EVENTS = `
SELECT ${COLUMNS} FROM unnest($1::text[], $2::text[]) k (client, message_id)
JOIN delivery d ON d.fk_client_name = k.client AND d.message_id = k.message_id ORDER BY d.endpoint_id, d.id`

const ATTEMPT = `a.delivery_id::text AS "deliveryId", a.attempt, a.started_at AS "startedAt", a.duration_ms AS "durationMs", a.status,
  a.error_class AS "errorClass", a.response`

const ATTEMPTS = `SELECT ${ATTEMPT} FROM delivery_attempt a WHERE a.delivery_id = ANY ($1::bigint[]) ORDER BY a.delivery_id, a.attempt`

// Delivered ones are in no index of their endpoint: among the latest of all endpoints
// they are looked for.
const LAST_ATTEMPTS = `
WITH recent AS (
  (SELECT id FROM delivery WHERE id > (SELECT max(id) - 100000 FROM delivery) AND endpoint_id = $1 AND attempts > 0 ORDER BY id DESC LIMIT 100)
  UNION
  (SELECT id FROM (SELECT id, attempts FROM delivery WHERE endpoint_id = $1 AND state = 'pending' ORDER BY endpoint_id DESC, next_attempt_at DESC, id DESC LIMIT 1000) p
   WHERE attempts > 0)
  UNION
  (SELECT id FROM delivery WHERE endpoint_id = $1 AND state = 'dead' ORDER BY endpoint_id DESC, id DESC LIMIT 100)
)
SELECT ${ATTEMPT} FROM recent r JOIN delivery_attempt a ON a.delivery_id = r.id ORDER BY a.started_at DESC, a.delivery_id DESC, a.attempt DESC LIMIT $2`

export async function listDeliveries(
  db: Queryable,
  filter: DeliveryFilter,
  limit: number
): Promise<readonly DeliveryRecord[]> {
  return (await db.query<DeliveryRecord>(LIST, [...deliveryFilterValues(filter), limit])).rows
}

export async function countDeliveries(
  db: Queryable,
  filter: DeliveryFilter
): Promise<{ readonly pending: number; readonly dead: number }> {
  const { rows } = await db.query<{ pending: number; dead: number }>(
    COUNT,
    deliveryFilterValues(filter)
  )
  return rows[0] ?? { pending: 0, dead: 0 }
}

export async function deliveriesOfEvents(
  db: Queryable,
  keys: readonly EventKey[]
): Promise<readonly DeliveryRecord[]> {
  return (
    await db.query<DeliveryRecord>(OF_EVENTS, [
      keys.map(({ clientId }) => clientId),
      keys.map(({ messageId }) => messageId)
    ])
  ).rows
}

export async function readAttempts(
  db: Queryable,
  deliveryIds: readonly string[]
): Promise<readonly AttemptRecord[]> {
  return (await db.query<AttemptRecord>(ATTEMPTS, [deliveryIds])).rows
}

export async function lastAttempts(
  db: Queryable,
  endpointId: number,
  limit: number
): Promise<readonly AttemptRecord[]> {
  return (await db.query<AttemptRecord>(LAST_ATTEMPTS, [endpointId, limit])).rows
}
