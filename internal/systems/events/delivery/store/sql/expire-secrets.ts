import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const EXPIRE = `
UPDATE endpoint_secret SET expires_at = least(expires_at, now() + $3::float8 * interval '1 millisecond')
WHERE endpoint_id = $1 AND id <> $2 RETURNING id, expires_at AS "expiresAt"`

export interface ExpiringSecret {
  readonly id: number
  readonly expiresAt: Date
}

/**
 * Lets all secrets but one end after `graceMs`, or when they would have ended anyway, if
 * that is sooner. Newest first.
 */
export async function expireSecrets(
  db: Queryable,
  endpointId: number,
  exceptId: number,
  graceMs: number
): Promise<readonly ExpiringSecret[]> {
  const { rows } = await db.query<ExpiringSecret>(EXPIRE, [endpointId, exceptId, graceMs])
  return rows.toSorted((a, b) => b.id - a.id)
}
