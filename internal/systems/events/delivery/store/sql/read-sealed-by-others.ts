import type { QueryResultRow } from 'pg'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { Sealed } from '../../sealed.js'
import type { SealedValue } from '../endpoints.js'

const READ_SEALED_BY_OTHERS = `
SELECT e.id AS "endpointId", e.fk_client_name AS client, 'secret' AS field, s.id AS "rowId", s.key_id AS "keyId",
       s.sealed_secret AS box
FROM endpoint_secret s JOIN endpoint e ON e.id = s.endpoint_id WHERE s.key_id <> $1
UNION ALL
SELECT id, fk_client_name, 'headers', id, headers_key_id, sealed_headers FROM endpoint WHERE headers_key_id <> $1
ORDER BY 1, 3, 4`

interface SealedValueRow extends Omit<SealedValue, 'sealed'>, Sealed, QueryResultRow {}

/** What other keys than this one have sealed. */
export async function readSealedByOthers(
  db: Queryable,
  keyId: string
): Promise<readonly SealedValue[]> {
  const { rows } = await db.query<SealedValueRow>(READ_SEALED_BY_OTHERS, [keyId])
  return rows.map(({ keyId: sealedBy, box, ...place }) => ({
    ...place,
    sealed: { keyId: sealedBy, box }
  }))
}
