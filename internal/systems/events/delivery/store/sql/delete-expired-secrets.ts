import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const DELETE_EXPIRED = `
DELETE FROM endpoint_secret WHERE endpoint_id = $1 AND expires_at <= now()`

export async function deleteExpiredSecrets(db: Queryable, endpointId: number): Promise<void> {
  await db.query(DELETE_EXPIRED, [endpointId])
}
