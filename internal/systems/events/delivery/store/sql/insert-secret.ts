import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { Sealed } from '../../sealed.js'

const INSERT_SECRET = `
INSERT INTO endpoint_secret (endpoint_id, key_id, sealed_secret) VALUES ($1, $2, $3) RETURNING id`

/** The number of the secret's row. */
export async function insertSecret(
  db: Queryable,
  endpointId: number,
  { keyId, box }: Sealed
): Promise<number> {
  const { rows } = await db.query<{ id: number }>(INSERT_SECRET, [endpointId, keyId, box])
  const [row] = rows
  if (row === undefined) throw new Error('the secret was inserted without a number')
  return row.id
}
