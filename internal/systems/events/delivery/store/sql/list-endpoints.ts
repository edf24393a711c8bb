import type { QueryResultRow } from 'pg'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { EndpointFilter, EndpointRecord, EndpointSecret } from '../endpoints.js'

// Pending deliveries are read from a partial index, once per endpoint; this takes as long
// as the backlog.
const LIST = `
SELECT e.id, fk_client_name AS client, url, event_types AS "eventTypes", state, disabled_reason AS "disabledReason",
       disabled_at AS "disabledAt", is_ordered AS "isOrdered", max_concurrency AS "maxConcurrency",
       max_per_s AS "maxPerSecond", timeout_ms AS "timeoutMs", sealed_headers IS NOT NULL AS "hasHeaders",
       e.created_at AS "createdAt", failing_since AS "failingSince",
       CASE WHEN paused_until > now() THEN paused_until END AS "pausedUntil",
       s.created AS "secretsCreated", s.expires AS "secretsExpire", p.pending, p.oldest AS "oldestPendingAt",
       (SELECT count(*)::int FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'dead') AS dead
FROM endpoint e
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(s.created_at ORDER BY s.id DESC), '{}') AS created,
         coalesce(array_agg(s.expires_at ORDER BY s.id DESC), '{}') AS expires
  FROM endpoint_secret s WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > now())
) s
CROSS JOIN LATERAL (
  SELECT count(*)::int AS pending, min(d.created_at) AS oldest
  FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
) p
WHERE ($1::int IS NULL OR e.id = $1) AND ($2::text IS NULL OR fk_client_name = $2) AND ($3::text IS NULL OR state = $3)
ORDER BY e.id`

interface ListRow extends Omit<EndpointRecord, 'secrets'>, QueryResultRow {
  readonly secretsCreated: readonly Date[]
  readonly secretsExpire: readonly (Date | null)[]
}

/** `id` null: every endpoint that the filter allows. */
export async function listEndpoints(
  db: Queryable,
  id: number | null,
  { client, state }: EndpointFilter
): Promise<readonly EndpointRecord[]> {
  return (await db.query<ListRow>(LIST, [id, client, state])).rows.map(record)
}

function record({ secretsCreated, secretsExpire, ...plain }: ListRow): EndpointRecord {
  const secrets = secretsCreated.map(
    (createdAt, n): EndpointSecret => ({ createdAt, expiresAt: secretsExpire[n] ?? null })
  )
  return { ...plain, secrets }
}
