/**
 * Deliveries in PostgreSQL, on connections of the caller's pool.
 *
 * Source  PostgreSQL manual: transaction id and snapshot functions (pg_snapshot_xmin).
 */
import type pg from 'pg'
import type { CallLanes } from '../../../../engine/dispatch/call-lanes.js'
import { classify } from '../../../../engine/postgres/fault.js'
import { inTransaction } from '../../../../engine/postgres/transaction.js'
import {
  type Backlog,
  type Deliveries,
  type DueDelivery,
  ENDPOINT_STATES,
  type EndpointChange,
  type EndpointState,
  type FanOut
} from './deliveries.js'
import { fanOut } from './fan-out.js'
import {
  READ_SEALED_ENDPOINT,
  type SealedEndpointRow,
  sealedEndpoint
} from './read-sealed-endpoint.js'
import { settleDeliveries } from './settle-deliveries.js'

// One look into the partial index per endpoint.
const READ_DUE_ENDPOINTS = `
SELECT ARRAY(
  SELECT e.id FROM endpoint e
  WHERE e.state = 'enabled' AND (e.paused_until IS NULL OR e.paused_until <= now())
    AND EXISTS (SELECT FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= now())
) AS endpoints`

// What is locked stays pending, so the update need not look at the state, and finds its
// rows by their ids whatever the statistics say.
const END_DISABLED = `
WITH owed AS MATERIALIZED (
  SELECT d.id FROM endpoint e
  CROSS JOIN LATERAL (
    SELECT id FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending' LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
  ) d
  WHERE e.state <> 'enabled' LIMIT $1
)
UPDATE delivery d SET state = 'dead', dead_reason = 'endpoint-disabled', next_attempt_at = NULL, finished_at = now()
FROM owed WHERE d.id = owed.id`

const READ_ENDPOINT = `${READ_SEALED_ENDPOINT}
WHERE id = $1 AND state = 'enabled' AND (paused_until IS NULL OR paused_until <= now())`

// LIMIT 1 makes the server look up each message by its key: for some hundred of them it
// would rather read a table of a hundred thousand.
const READ_DUE = `
SELECT d.id::text AS id, d.attempts, d.attempts - d.schedule_began_after AS scheduled, d.message_id AS "messageId",
       m."eventType", m.payload, m."receivedAtMs"
FROM (
  SELECT id, attempts, schedule_began_after, fk_client_name, message_id, next_attempt_at FROM delivery
  WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at <= now() AND id <> ALL ($3::bigint[])
  ORDER BY endpoint_id, next_attempt_at, id LIMIT $2
) d
LEFT JOIN LATERAL (
  SELECT fk_event_type_name AS "eventType", message::text AS payload, extract(epoch FROM received_at)::float8 * 1000 AS "receivedAtMs"
  FROM message m WHERE m.fk_client_name = d.fk_client_name AND m.message_id = d.message_id LIMIT 1
) m ON true
ORDER BY d.next_attempt_at, d.id`

// Somebody has deleted old rows of message: there is nothing left to send.
const END_GONE = `
UPDATE delivery SET state = 'dead', dead_reason = 'message-gone', next_attempt_at = NULL, finished_at = now()
WHERE id = ANY ($1::bigint[]) AND state = 'pending'`

const READ_BACKLOG = `
SELECT (SELECT count(*)::float8 FROM delivery WHERE state = 'pending') AS pending,
       (SELECT count(*)::float8 FROM delivery WHERE state = 'dead') AS dead,
       (SELECT coalesce(extract(epoch FROM now() - min(CASE WHEN d.next_attempt_at = '-infinity' THEN d.created_at ELSE d.next_attempt_at END)), 0)::float8
        FROM endpoint e CROSS JOIN LATERAL (
          SELECT next_attempt_at, created_at FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= now()
          ORDER BY endpoint_id, next_attempt_at, id LIMIT 1
        ) d WHERE e.state = 'enabled') AS "oldestDueS",
       (SELECT coalesce(extract(epoch FROM now() - (
          SELECT m.received_at FROM message m, sender_cursor c
          WHERE m.tx >= c.tx AND (m.tx, m.fk_client_name, m.message_id) > (c.tx, c.fk_client_name, c.message_id)
          ORDER BY m.tx LIMIT 1)), 0)::float8) AS "lagS",
       (SELECT coalesce(json_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM endpoint GROUP BY state) s) AS endpoints`

const CHANGE = {
  healthy:
    'UPDATE endpoint SET failing_since = NULL, circuit_opened = 0 WHERE id = $1 AND (failing_since IS NOT NULL OR circuit_opened > 0)',
  failing: `UPDATE endpoint SET failing_since = now() - $2::float8 * interval '1 millisecond' WHERE id = $1 AND failing_since IS NULL`,
  // Several attempts that were under way at once may each ask for a pause: the longest
  // counts.
  paused: `
UPDATE endpoint SET paused_until = greatest(paused_until, now() + $2::float8 * interval '1 millisecond'), circuit_opened = $3 WHERE id = $1`,
  disabled: `
UPDATE endpoint SET state = 'disabled-by-failure', disabled_reason = $2, disabled_at = now() WHERE id = $1 AND state = 'enabled'`
} as const satisfies Record<EndpointChange['kind'], string>

export function createPostgresDeliveries(pool: pg.Pool, callLanes: CallLanes): Deliveries {
  const query = <Row extends pg.QueryResultRow>(
    text: string,
    values: unknown[]
  ): Promise<pg.QueryResult<Row>> => pool.query<Row>(text, values).catch(rethrow)

  return {
    fanOut(maxEvents): Promise<FanOut | null> {
      return inTransaction(pool, async client => {
        const { isOurs, events, deliveries, endpoints } = await fanOut(client, maxEvents)
        if (!isOurs) return null
        if (endpoints.length > 0) await callLanes(client, endpoints)
        return { events, deliveries }
      })
    },
    callDue() {
      return inTransaction(pool, async client => {
        const { rows } = await client.query<{ endpoints: number[] }>(READ_DUE_ENDPOINTS)
        const endpoints = rows[0]?.endpoints ?? []
        if (endpoints.length > 0) await callLanes(client, endpoints)
        return endpoints.length
      })
    },
    async endDisabled(maxDeliveries) {
      return (await query(END_DISABLED, [maxDeliveries])).rowCount ?? 0
    },
    async endpoint(id) {
      const [row] = (await query<SealedEndpointRow>(READ_ENDPOINT, [id])).rows
      return row === undefined ? null : sealedEndpoint(row)
    },
    async due(endpointId, limit, exceptIds) {
      for (;;) {
        const { rows } = await query<DueRow>(READ_DUE, [endpointId, limit, exceptIds])
        const gone = rows.filter(({ payload }) => payload === null).map(({ id }) => id)
        if (gone.length > 0) await query(END_GONE, [gone])
        if (gone.length < rows.length || rows.length === 0)
          return rows.filter((row): row is DueRow & DueDelivery => row.payload !== null)
      }
    },
    async settle(outcomes) {
      if (outcomes.length > 0) await settleDeliveries(pool, outcomes).catch(rethrow)
    },
    async backlog() {
      const [row] = (await query<Backlog & pg.QueryResultRow>(READ_BACKLOG, [])).rows
      if (row === undefined) throw new Error('the backlog answered without a row')
      const none = Object.fromEntries(ENDPOINT_STATES.map(state => [state, 0])) as Record<
        EndpointState,
        number
      >
      return { ...row, endpoints: { ...none, ...row.endpoints } }
    },
    async change(endpointId, change) {
      await query(CHANGE[change.kind], [endpointId, ...valuesOf(change)])
    }
  }
}

interface DueRow extends Omit<DueDelivery, 'payload'>, pg.QueryResultRow {
  /** Null: the message is gone. */
  readonly payload: string | null
}

function valuesOf(change: EndpointChange): readonly unknown[] {
  switch (change.kind) {
    case 'healthy':
      return []
    case 'failing':
      return [change.forMs]
    case 'paused':
      return [change.forMs, change.circuitOpened]
    case 'disabled':
      return [change.reason]
  }
}

function rethrow(error: unknown): never {
  throw classify(error)
}
