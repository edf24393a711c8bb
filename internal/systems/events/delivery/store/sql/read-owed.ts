import type { QueryResultRow } from 'pg'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import { ENDPOINT_STATES, type EndpointState, type OwedTotals } from '../deliveries.js'

const READ_OWED = `
SELECT (SELECT count(*)::float8 FROM delivery WHERE state = 'pending') AS pending,
       (SELECT count(*)::float8 FROM delivery WHERE state = 'dead') AS dead,
       (SELECT coalesce(extract(epoch FROM now() - min(
                 CASE WHEN d.next_attempt_at = '-infinity' THEN d.created_at ELSE d.next_attempt_at END
               )), 0)::float8
        FROM endpoint e CROSS JOIN LATERAL (
          SELECT next_attempt_at, created_at FROM delivery d
          WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= now()
          ORDER BY endpoint_id, next_attempt_at, id LIMIT 1
        ) d WHERE e.state = 'enabled') AS "oldestDueS",
       (SELECT coalesce(extract(epoch FROM now() - (
          SELECT m.received_at FROM message m, sender_cursor c
          WHERE m.tx >= c.tx
            AND (m.tx, m.fk_client_name, m.message_id) > (c.tx, c.fk_client_name, c.message_id)
          ORDER BY m.tx LIMIT 1)), 0)::float8) AS "lagS",
       (SELECT coalesce(json_object_agg(state, n), '{}')
        FROM (SELECT state, count(*) AS n FROM endpoint GROUP BY state) s) AS endpoints`

const NO_ENDPOINTS = Object.fromEntries(ENDPOINT_STATES.map(state => [state, 0])) as Record<
  EndpointState,
  number
>

export async function readOwed(db: Queryable): Promise<OwedTotals> {
  const [row] = (await db.query<OwedTotals & QueryResultRow>(READ_OWED)).rows
  if (row === undefined) throw new Error('what is owed was answered without a row')
  return { ...row, endpoints: { ...NO_ENDPOINTS, ...row.endpoints } }
}
