import type { QueryResultRow } from 'pg'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { SealedEndpoint } from '../deliveries.js'

const READ_SEALED = `
SELECT id, fk_client_name AS client, url, is_ordered AS "isOrdered", max_concurrency AS "maxConcurrency",
       max_per_s AS "maxPerSecond", timeout_ms AS "timeoutMs", headers_key_id AS "headersKeyId",
       sealed_headers AS "headersBox", s.key_ids AS "secretKeyIds", s.boxes AS "secretBoxes",
       extract(epoch FROM now() - failing_since)::float8 * 1000 AS "failingForMs", circuit_opened AS "circuitOpened"
FROM endpoint e
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(key_id ORDER BY s.id DESC), '{}') AS key_ids,
         coalesce(array_agg(sealed_secret ORDER BY s.id DESC), '{}') AS boxes
  FROM endpoint_secret s WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > now())
) s
WHERE id = $1`

const READ_USABLE = `${READ_SEALED} AND state = 'enabled' AND (paused_until IS NULL OR paused_until <= now())`

interface SealedEndpointRow
  extends Omit<SealedEndpoint, 'sealedSecrets' | 'sealedHeaders'>,
    QueryResultRow {
  readonly headersKeyId: string | null
  readonly headersBox: Buffer | null
  readonly secretKeyIds: readonly string[]
  readonly secretBoxes: readonly Buffer[]
}

/** Reads it whether it is enabled or not. */
export function readSealedEndpoint(db: Queryable, id: number): Promise<SealedEndpoint | null> {
  return read(db, READ_SEALED, id)
}

/** Null also while the endpoint is disabled or paused. */
export function readUsableEndpoint(db: Queryable, id: number): Promise<SealedEndpoint | null> {
  return read(db, READ_USABLE, id)
}

async function read(db: Queryable, statement: string, id: number): Promise<SealedEndpoint | null> {
  const [row] = (await db.query<SealedEndpointRow>(statement, [id])).rows
  return row === undefined ? null : sealedEndpoint(row)
}

function sealedEndpoint({
  headersKeyId,
  headersBox,
  secretKeyIds,
  secretBoxes,
  ...plain
}: SealedEndpointRow): SealedEndpoint {
  return {
    ...plain,
    sealedSecrets: secretBoxes.map((box, n) => ({ keyId: secretKeyIds[n] ?? '', box })),
    sealedHeaders:
      headersKeyId === null || headersBox === null ? null : { keyId: headersKeyId, box: headersBox }
  }
}
