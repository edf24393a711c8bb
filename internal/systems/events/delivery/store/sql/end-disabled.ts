import type { Queryable } from '../../../../../engine/postgres/queryable.js'

// A locked row stays pending, so the update need not check the state. It finds its rows
// by id, whatever the statistics say.
const END_DISABLED = `
WITH owed AS MATERIALIZED (
  SELECT d.id FROM endpoint e
  CROSS JOIN LATERAL (
    SELECT id FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
    LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
  ) d
  WHERE e.state <> 'enabled' LIMIT $1
)
UPDATE delivery d
SET state = 'dead', dead_reason = 'endpoint-disabled', next_attempt_at = NULL, finished_at = now()
FROM owed WHERE d.id = owed.id`

/** Makes some pending deliveries of disabled endpoints dead; returns how many. */
export async function endDisabled(db: Queryable, maxDeliveries: number): Promise<number> {
  return (await db.query(END_DISABLED, [maxDeliveries])).rowCount ?? 0
}
