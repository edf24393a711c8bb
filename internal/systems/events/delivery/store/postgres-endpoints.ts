/** Endpoints in PostgreSQL, on connections of the caller's pool. */
import type pg from 'pg'
import { classify } from '../../../../engine/postgres/fault.js'
import { inTransaction } from '../../../../engine/postgres/transaction.js'
import type { Sealed } from '../sealed.js'
import {
  type AddEndpointOutcome,
  type EndpointRecord,
  type EndpointSecret,
  type Endpoints,
  MAX_SECRETS_BEFORE,
  type RotatedSecret,
  type SealedValue
} from './endpoints.js'
import {
  READ_SEALED_ENDPOINT,
  type SealedEndpointRow,
  sealedEndpoint
} from './read-sealed-endpoint.js'

// Event types that do not exist, in their order.
const READ_PARENTS = `
SELECT EXISTS (SELECT FROM client WHERE name = $1) AS "hasClient",
       ARRAY(SELECT t FROM unnest($2::text[]) WITH ORDINALITY AS u (t, n) WHERE NOT EXISTS (SELECT FROM event_type WHERE name = t) ORDER BY n)
         AS "unknownTypes"`

const INSERT = `
INSERT INTO endpoint (fk_client_name, url, event_types, is_ordered, max_concurrency, max_per_s, timeout_ms)
VALUES ($1, $2, $3, $4, coalesce($5, 10), $6, coalesce($7, 15000)) RETURNING id`
const SET_HEADERS = 'UPDATE endpoint SET headers_key_id = $2, sealed_headers = $3 WHERE id = $1'
const INSERT_SECRET =
  'INSERT INTO endpoint_secret (endpoint_id, key_id, sealed_secret) VALUES ($1, $2, $3) RETURNING id'

// What is owed is one look into a partial index per endpoint, and takes as long as the
// backlog.
const LIST = `
SELECT e.id, fk_client_name AS client, url, event_types AS "eventTypes", state, disabled_reason AS "disabledReason", disabled_at AS "disabledAt",
       is_ordered AS "isOrdered", max_concurrency AS "maxConcurrency", max_per_s AS "maxPerSecond", timeout_ms AS "timeoutMs",
       sealed_headers IS NOT NULL AS "hasHeaders", e.created_at AS "createdAt", failing_since AS "failingSince",
       CASE WHEN paused_until > now() THEN paused_until END AS "pausedUntil", s.created AS "secretsCreated", s.expires AS "secretsExpire",
       p.pending, p.oldest AS "oldestPendingAt", (SELECT count(*)::int FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'dead') AS dead
FROM endpoint e
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(s.created_at ORDER BY s.id DESC), '{}') AS created, coalesce(array_agg(s.expires_at ORDER BY s.id DESC), '{}') AS expires
  FROM endpoint_secret s WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > now())
) s
CROSS JOIN LATERAL (
  SELECT count(*)::int AS pending, min(d.created_at) AS oldest FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
) p
WHERE ($1::int IS NULL OR e.id = $1) AND ($2::text IS NULL OR fk_client_name = $2) AND ($3::text IS NULL OR state = $3)
ORDER BY e.id`

const ENABLE = `
UPDATE endpoint SET state = 'enabled', disabled_reason = NULL, disabled_at = NULL, failing_since = NULL, paused_until = NULL, circuit_opened = 0
WHERE id = $1 AND (state <> 'enabled' OR paused_until > now())`
const DISABLE = `
UPDATE endpoint SET state = 'disabled-by-operator', disabled_reason = $2, disabled_at = now() WHERE id = $1 AND state = 'enabled'`

// Whoever holds the endpoint's row replaces its secret; a second one at once comes after.
const LOCK = 'SELECT fk_client_name AS client FROM endpoint WHERE id = $1 FOR NO KEY UPDATE'
const DELETE_EXPIRED = 'DELETE FROM endpoint_secret WHERE endpoint_id = $1 AND expires_at <= now()'
const END_LATER = `
UPDATE endpoint_secret SET expires_at = least(expires_at, now() + $3::float8 * interval '1 millisecond')
WHERE endpoint_id = $1 AND id <> $2 RETURNING id, expires_at AS "expiresAt"`
const DELETE_SECRETS = 'DELETE FROM endpoint_secret WHERE endpoint_id = $1 AND id = ANY ($2::int[])'

const READ_SEALED_BY_OTHERS = `
SELECT e.id AS "endpointId", e.fk_client_name AS client, 'secret' AS field, s.id AS "rowId", s.key_id AS "keyId", s.sealed_secret AS box
FROM endpoint_secret s JOIN endpoint e ON e.id = s.endpoint_id WHERE s.key_id <> $1
UNION ALL
SELECT id, fk_client_name, 'headers', id, headers_key_id, sealed_headers FROM endpoint WHERE headers_key_id <> $1
ORDER BY 1, 3, 4`
const RESEAL = {
  secret:
    'UPDATE endpoint_secret SET key_id = $3, sealed_secret = $4 WHERE id = $1 AND sealed_secret = $2',
  headers:
    'UPDATE endpoint SET headers_key_id = $3, sealed_headers = $4 WHERE id = $1 AND sealed_headers = $2'
} as const

export function createPostgresEndpoints(pool: pg.Pool): Endpoints {
  async function list(
    id: number | null,
    client: string | null,
    state: string | null
  ): Promise<readonly EndpointRecord[]> {
    return (await pool.query<ListRow>(LIST, [id, client, state]).catch(rethrow)).rows.map(record)
  }
  async function change(
    statement: string,
    values: readonly [id: number, ...unknown[]]
  ): Promise<'changed' | 'unchanged' | 'missing'> {
    if ((await pool.query(statement, [...values]).catch(rethrow)).rowCount === 1) return 'changed'
    const { rowCount } = await pool
      .query('SELECT FROM endpoint WHERE id = $1', [values[0]])
      .catch(rethrow)
    return rowCount === 1 ? 'unchanged' : 'missing'
  }
  return {
    add: (endpoint, seal) =>
      inTransaction(pool, async (client): Promise<AddEndpointOutcome> => {
        const { rows: parents } = await client.query<{
          hasClient: boolean
          unknownTypes: string[]
        }>(READ_PARENTS, [endpoint.client, endpoint.eventTypes ?? []])
        if (parents[0]?.hasClient !== true) return { kind: 'unknown-client' }
        const [eventType] = parents[0].unknownTypes
        if (eventType !== undefined) return { kind: 'unknown-event-type', eventType }
        const { isOrdered, maxConcurrency, maxPerSecond, timeoutMs } = endpoint
        const { rows } = await client.query<{ id: number }>(INSERT, [
          endpoint.client,
          endpoint.url,
          endpoint.eventTypes,
          isOrdered,
          maxConcurrency,
          maxPerSecond,
          timeoutMs
        ])
        const id = one(rows).id
        const { secret, headers } = seal(id, endpoint.client)
        await client.query(INSERT_SECRET, [id, secret.keyId, secret.box])
        if (headers !== null) await client.query(SET_HEADERS, [id, headers.keyId, headers.box])
        return { kind: 'added', id }
      }),
    list: ({ client, state }) => list(null, client, state),
    async find(id) {
      return (await list(id, null, null))[0] ?? null
    },
    async findSealed(id) {
      const { rows } = await pool
        .query<SealedEndpointRow>(`${READ_SEALED_ENDPOINT} WHERE id = $1`, [id])
        .catch(rethrow)
      return rows[0] === undefined ? null : sealedEndpoint(rows[0])
    },
    enable: id => change(ENABLE, [id]),
    disable: (id, reason) => change(DISABLE, [id, reason]),
    rotateSecret: (id, seal, graceMs) =>
      inTransaction(pool, async (client): Promise<RotatedSecret | null> => {
        const [endpoint] = (await client.query<{ client: string }>(LOCK, [id])).rows
        if (endpoint === undefined) return null
        await client.query(DELETE_EXPIRED, [id])
        const { keyId, box } = seal(id, endpoint.client).secret
        const newest = one(
          (await client.query<{ id: number }>(INSERT_SECRET, [id, keyId, box])).rows
        )
        const { rows } = await client.query<{ id: number; expiresAt: Date }>(END_LATER, [
          id,
          newest.id,
          graceMs
        ])
        const before = rows.toSorted((a, b) => b.id - a.id)
        const kept = graceMs === 0 ? [] : before.slice(0, MAX_SECRETS_BEFORE)
        const ended = before.slice(kept.length)
        await client.query(DELETE_SECRETS, [id, ended.map(secret => secret.id)])
        return {
          client: endpoint.client,
          before: kept.map(({ expiresAt }) => expiresAt),
          ended: ended.length
        }
      }),
    async sealedByOthers(keyId) {
      const { rows } = await pool
        .query<SealedValueRow>(READ_SEALED_BY_OTHERS, [keyId])
        .catch(rethrow)
      return rows.map(({ keyId: sealedBy, box, ...place }) => ({
        ...place,
        sealed: { keyId: sealedBy, box }
      }))
    },
    async reseal({ field, rowId, sealed }, { keyId, box }) {
      return (
        (await pool.query(RESEAL[field], [rowId, sealed.box, keyId, box]).catch(rethrow))
          .rowCount === 1
      )
    }
  }
}

interface SealedValueRow extends Omit<SealedValue, 'sealed'>, Sealed, pg.QueryResultRow {}

interface ListRow extends Omit<EndpointRecord, 'secrets'>, pg.QueryResultRow {
  readonly secretsCreated: readonly Date[]
  readonly secretsExpire: readonly (Date | null)[]
}

function record({ secretsCreated, secretsExpire, ...plain }: ListRow): EndpointRecord {
  const secrets = secretsCreated.map(
    (createdAt, n): EndpointSecret => ({ createdAt, expiresAt: secretsExpire[n] ?? null })
  )
  return { ...plain, secrets }
}

function one<T>([row]: readonly T[]): T {
  if (row === undefined) throw new Error('the statement answered without a row')
  return row
}

function rethrow(error: unknown): never {
  throw classify(error)
}
