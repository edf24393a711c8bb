/**
 * The schema registry in PostgreSQL.
 *
 * Whoever registers or activates for a place holds its advisory lock, so that two at once
 * come one after the other. An activation must find the version active that was active
 * when it began: else somebody else was faster, and what they decided stays.
 *
 * Errors  StoreError, as `classify` sees the cause.
 */
import pg from 'pg'
import { classify } from '../../../engine/postgres/fault.js'
import { inTransaction } from '../../../engine/postgres/transaction.js'
import { admitSchema } from '../schemas/admission.js'
import { MAX_SHADOWS } from '../schemas/payload-schemas.js'
import type {
  ActivateOutcome,
  AddOutcome,
  RetireOutcome,
  SchemaFilter,
  SchemaRefusal,
  SchemaRegistry,
  SchemaVersion,
  SchemaVersionWithText
} from './schema-registry.js'

export interface PostgresSchemaRegistryOptions {
  readonly connectionString: string
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly queryDeadlineMs: number
}

const COLUMNS = `id, event_type AS "eventType", client AS "clientId", version, state, hash, created_at AS "createdAt",
  activated_at AS "activatedAt", activated_by AS "activatedBy", retired_at AS "retiredAt"`

const LOCK_PLACE = `SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(chr(10), 'event_schema', $1::text, $2::text), 0))`
const PARENTS = `
SELECT EXISTS (SELECT FROM event_type WHERE name = $1) AS "hasType", $2::text IS NULL OR EXISTS (SELECT FROM client WHERE name = $2) AS "hasClient"`
const IN_PLACE = 'event_type = $1 AND client IS NOT DISTINCT FROM $2'
const INSERT = `
INSERT INTO event_schema (event_type, client, version, schema)
SELECT $1::text, $2::text, coalesce(max(version), 0) + 1, $3::json FROM event_schema WHERE ${IN_PLACE}
RETURNING ${COLUMNS}`
const SAME = `
SELECT ${COLUMNS} FROM event_schema
WHERE ${IN_PLACE} AND state <> 'retired' AND hash = event_schema_hash($3::json) ORDER BY state, version DESC LIMIT 1`
const READ_ACTIVE = `SELECT ${COLUMNS} FROM event_schema WHERE ${IN_PLACE} AND state = 'active'`
const READ_ONE = `SELECT ${COLUMNS}, schema::text AS text FROM event_schema WHERE id = $1`
const SET_STATE = `UPDATE event_schema SET state = $2 WHERE id = $1 RETURNING ${COLUMNS}`
const LIST = `
SELECT ${COLUMNS} FROM event_schema
WHERE ($1::text IS NULL OR event_type = $1) AND ($2::boolean OR client IS NOT DISTINCT FROM $3::text)
  AND ($4::int IS NULL OR version = $4) AND ($5::text IS NULL OR state = $5)
ORDER BY event_type, client NULLS FIRST, version`

/**
 * json takes it, and the canonical text cannot be told: see the migration. Such a schema
 * compares texts that no column can hold.
 */
const HOLDS_NUL = /\\u0000/

export function createPostgresSchemaRegistry(
  options: PostgresSchemaRegistryOptions
): SchemaRegistry {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: 1,
    connectionTimeoutMillis: options.queryDeadlineMs,
    query_timeout: options.queryDeadlineMs,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    keepAlive: true,
    application_name: 'event-process schema registry'
  })
  // The statement under way fails by itself; without listeners a broken connection would
  // end the process.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))

  return {
    add: (eventType, clientId, text) =>
      inTransaction(pool, async (client): Promise<AddOutcome> => {
        const admission = admitSchema(text)
        if (admission.kind === 'refused') return admission
        if (HOLDS_NUL.test(text))
          return refuse('the schema holds U+0000 (\\u0000), which PostgreSQL cannot compare')
        const parents = await client.query<{ hasType: boolean; hasClient: boolean }>(PARENTS, [
          eventType,
          clientId
        ])
        if (parents.rows[0]?.hasType !== true) return { kind: 'unknown-event-type' }
        if (!parents.rows[0].hasClient) return { kind: 'unknown-client' }
        await client.query(LOCK_PLACE, [eventType, clientId])
        const same = (await client.query<SchemaVersion>(SAME, [eventType, clientId, text])).rows[0]
        if (same) return { kind: 'exists', version: same }
        const { rows } = await client.query<SchemaVersion>(LIST, [
          eventType,
          false,
          clientId,
          null,
          'shadow'
        ])
        if (rows.length >= MAX_SHADOWS) {
          return refuse(
            `${rows.length} versions are in shadow already (${versionsOf(rows)}): activate or retire one first`
          )
        }
        const added = await client.query<SchemaVersion>(INSERT, [eventType, clientId, text])
        return { kind: 'added', version: one(added) }
      }),

    list: ({ eventType, clientId, version, state }: SchemaFilter = {}) =>
      pool
        .query<SchemaVersion>(LIST, [
          eventType ?? null,
          clientId === undefined,
          clientId ?? null,
          version ?? null,
          state ?? null
        ])
        .then(({ rows }) => rows)
        .catch(rethrow),

    show: id =>
      pool
        .query<SchemaVersionWithText>(READ_ONE, [id])
        .then(({ rows }) => rows[0] ?? null)
        .catch(rethrow),

    async activate(id) {
      const seen = (await pool.query<SchemaVersionWithText>(READ_ONE, [id]).catch(rethrow)).rows[0]
      if (seen === undefined) return { kind: 'not-found' }
      if (seen.state !== 'shadow') return { kind: 'wrong-state', version: withoutText(seen) }
      const place = [seen.eventType, seen.clientId]
      const before =
        (await pool.query<SchemaVersion>(READ_ACTIVE, place).catch(rethrow)).rows[0] ?? null
      const admission = admitSchema(seen.text)
      if (admission.kind === 'refused') return admission
      return inTransaction(pool, async (client): Promise<ActivateOutcome> => {
        await client.query(LOCK_PLACE, place)
        const active = (await client.query<SchemaVersion>(READ_ACTIVE, place)).rows[0] ?? null
        if (active?.id !== before?.id) return { kind: 'overtaken', active }
        const now = (await client.query<SchemaVersionWithText>(`${READ_ONE} FOR UPDATE`, [id]))
          .rows[0]
        if (now === undefined) return { kind: 'not-found' }
        if (now.state !== 'shadow') return { kind: 'wrong-state', version: withoutText(now) }
        const retired =
          active === null
            ? null
            : one(await client.query<SchemaVersion>(SET_STATE, [active.id, 'retired']))
        return {
          kind: 'activated',
          version: one(await client.query<SchemaVersion>(SET_STATE, [id, 'active'])),
          retired
        }
      })
    },

    retire: id =>
      inTransaction(pool, async (client): Promise<RetireOutcome> => {
        const now = (await client.query<SchemaVersionWithText>(`${READ_ONE} FOR UPDATE`, [id]))
          .rows[0]
        if (now === undefined) return { kind: 'not-found' }
        if (now.state === 'retired') return { kind: 'wrong-state', version: withoutText(now) }
        return {
          kind: 'retired',
          version: one(await client.query<SchemaVersion>(SET_STATE, [id, 'retired']))
        }
      }),

    close: () => pool.end()
  }
}

function refuse(message: string): SchemaRefusal {
  return { kind: 'refused', pointer: '', message }
}

function one({ rows }: pg.QueryResult<SchemaVersion>): SchemaVersion {
  const [row] = rows
  if (row === undefined) throw new Error('the statement answered without a row')
  return row
}

function withoutText({ text: _text, ...version }: SchemaVersionWithText): SchemaVersion {
  return version
}

function versionsOf(rows: readonly SchemaVersion[]): string {
  return rows.map(({ version }) => `version ${version}`).join(', ')
}

function rethrow(error: unknown): never {
  throw classify(error)
}
