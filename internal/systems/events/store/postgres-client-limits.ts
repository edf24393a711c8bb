/** Sets weights and quotas of clients, on connections of the caller's pool. */
import type pg from 'pg'
import { classify } from '../../../engine/postgres/fault.js'
import type { ClientLimits, ClientLimitsStore } from './client-settings.js'

// A limit may be set to none, so whether it is given cannot be told from its value.
const SET = `
UPDATE client
SET weight = coalesce($2::int, weight), over_quota = coalesce($3::text, over_quota),
    max_events_per_s = CASE WHEN $4::boolean THEN $5::float8 ELSE max_events_per_s END,
    max_bytes_per_s = CASE WHEN $6::boolean THEN $7::float8 ELSE max_bytes_per_s END
WHERE name = $1
RETURNING weight, max_events_per_s AS "maxEventsPerS", max_bytes_per_s AS "maxBytesPerS", over_quota AS "overQuota"`

export function createPostgresClientLimits(pool: pg.Pool): ClientLimitsStore {
  return {
    async set(client, { weight, overQuota, maxEventsPerS, maxBytesPerS }) {
      const values = [
        client,
        weight,
        overQuota,
        maxEventsPerS !== undefined,
        maxEventsPerS,
        maxBytesPerS !== undefined,
        maxBytesPerS
      ]
      const { rows } = await pool
        .query<ClientLimits & pg.QueryResultRow>(SET, values)
        .catch(rethrow)
      return rows[0] ?? null
    }
  }
}

function rethrow(error: unknown): never {
  throw classify(error)
}
