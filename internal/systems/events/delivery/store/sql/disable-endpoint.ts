import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const DISABLE = `
UPDATE endpoint SET state = 'disabled-by-operator', disabled_reason = $2, disabled_at = now()
WHERE id = $1 AND state = 'enabled'`

/** False when nothing had to change. */
export async function disableEndpoint(
  db: Queryable,
  id: number,
  reason: string | null
): Promise<boolean> {
  return (await db.query(DISABLE, [id, reason])).rowCount === 1
}
