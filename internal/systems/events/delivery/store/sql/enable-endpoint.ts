import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const ENABLE = `
UPDATE endpoint
SET state = 'enabled', disabled_reason = NULL, disabled_at = NULL, failing_since = NULL, paused_until = NULL,
    circuit_opened = 0
WHERE id = $1 AND (state <> 'enabled' OR paused_until > now())`

/** False when nothing had to change. */
export async function enableEndpoint(db: Queryable, id: number): Promise<boolean> {
  return (await db.query(ENABLE, [id])).rowCount === 1
}
