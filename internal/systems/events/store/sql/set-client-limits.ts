import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { ClientLimits } from '../client-settings.js'

// Null is a valid limit (none), so a separate parameter says whether a limit is given.
const SET = `
UPDATE client
SET weight = coalesce($2::int, weight), over_quota = coalesce($3::text, over_quota),
    max_events_per_s = CASE WHEN $4::boolean THEN $5::float8 ELSE max_events_per_s END,
    max_bytes_per_s = CASE WHEN $6::boolean THEN $7::float8 ELSE max_bytes_per_s END
WHERE name = $1
RETURNING weight, max_events_per_s AS "maxEventsPerS", max_bytes_per_s AS "maxBytesPerS",
  over_quota AS "overQuota"`

/** Returns the limits now in force; null: there is no such client. */
export async function setClientLimits(
  db: Queryable,
  client: string,
  { weight, overQuota, maxEventsPerS, maxBytesPerS }: Partial<ClientLimits>
): Promise<ClientLimits | null> {
  const { rows } = await db.query<ClientLimits & { readonly [column: string]: unknown }>(SET, [
    client,
    weight,
    overQuota,
    maxEventsPerS !== undefined,
    maxEventsPerS,
    maxBytesPerS !== undefined,
    maxBytesPerS
  ])
  return rows[0] ?? null
}
