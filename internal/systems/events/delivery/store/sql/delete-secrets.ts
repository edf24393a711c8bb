import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const DELETE_SECRETS = `
DELETE FROM endpoint_secret WHERE endpoint_id = $1 AND id = ANY ($2::int[])`

export async function deleteSecrets(
  db: Queryable,
  endpointId: number,
  ids: readonly number[]
): Promise<void> {
  await db.query(DELETE_SECRETS, [endpointId, ids])
}
