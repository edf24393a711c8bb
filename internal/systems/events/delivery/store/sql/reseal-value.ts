import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { Sealed } from '../../sealed.js'
import type { SealedValue } from '../endpoints.js'

const RESEAL = {
  secret: `
UPDATE endpoint_secret SET key_id = $3, sealed_secret = $4 WHERE id = $1 AND sealed_secret = $2`,
  headers: `
UPDATE endpoint SET headers_key_id = $3, sealed_headers = $4 WHERE id = $1 AND sealed_headers = $2`
} as const satisfies Record<SealedValue['field'], string>

/** False when the value has changed meanwhile, or is gone. */
export async function resealValue(
  db: Queryable,
  { field, rowId, sealed }: SealedValue,
  { keyId, box }: Sealed
): Promise<boolean> {
  return (await db.query(RESEAL[field], [rowId, sealed.box, keyId, box])).rowCount === 1
}
