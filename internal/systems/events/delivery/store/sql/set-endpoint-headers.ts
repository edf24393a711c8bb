import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { Sealed } from '../../sealed.js'

const SET_HEADERS = 'UPDATE endpoint SET headers_key_id = $2, sealed_headers = $3 WHERE id = $1'

export async function setEndpointHeaders(
  db: Queryable,
  id: number,
  { keyId, box }: Sealed
): Promise<void> {
  await db.query(SET_HEADERS, [id, keyId, box])
}
