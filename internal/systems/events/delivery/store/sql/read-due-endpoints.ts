import type { Queryable } from '../../../../../engine/postgres/queryable.js'

// Reads the partial index once per endpoint.
const READ_DUE_ENDPOINTS = `
SELECT ARRAY(
  SELECT e.id FROM endpoint e
  WHERE e.state = 'enabled' AND (e.paused_until IS NULL OR e.paused_until <= now())
    AND EXISTS (
      SELECT FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= now()
    )
) AS endpoints`

/** Endpoints that are enabled, not paused and have something due. */
export async function readDueEndpoints(db: Queryable): Promise<readonly number[]> {
  const { rows } = await db.query<{ endpoints: number[] }>(READ_DUE_ENDPOINTS)
  return rows[0]?.endpoints ?? []
}
