import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const LOCK = 'SELECT fk_client_name AS client FROM endpoint WHERE id = $1 FOR NO KEY UPDATE'

/**
 * The endpoint's client, or null if there is no such endpoint. Locks it until the
 * transaction ends.
 */
export async function lockEndpoint(db: Queryable, id: number): Promise<string | null> {
  return (await db.query<{ client: string }>(LOCK, [id])).rows[0]?.client ?? null
}
