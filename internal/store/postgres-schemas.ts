/**
 * Reads the payload schemas that are in force from `event_schema`.
 *
 * Shapes  one row per (event type, client) with state `active`; client null = every client without one of its own.
 * Errors  the driver's: the caller keeps what it has and asks again.
 */
import pg from 'pg'
import type { ActiveSchema } from '../validate/payload-schemas.js'

const READ_ACTIVE = `
SELECT event_type AS "eventType", client AS "clientId", version, hash, schema
FROM event_schema WHERE state = 'active'
ORDER BY event_type, client`

/** Tells cheaply whether anything has changed: the schemas themselves stay on the server. */
const READ_FINGERPRINT = `
SELECT coalesce(string_agg(concat_ws(' ', event_type, coalesce(client, ''), version, hash), chr(10)
                           ORDER BY event_type, client), '') AS fingerprint
FROM event_schema WHERE state = 'active'`

export interface ActiveSchemas {
  /** The active schemas, or null when they are the same as at the last call that gave them. */
  readChanged(): Promise<readonly ActiveSchema[] | null>
  close(): Promise<void>
}

export function createActiveSchemas(connectionString: string): ActiveSchemas {
  const pool = new pg.Pool({
    connectionString,
    max: 1,
    query_timeout: 5_000,
    statement_timeout: 4_000,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: 'event-process schemas'
  })
  // The next read opens another connection; until then the schemas in force stay.
  pool.on('error', () => undefined)
  let known: string | null = null
  return {
    async readChanged() {
      const { rows } = await pool.query<{ fingerprint: string }>(READ_FINGERPRINT)
      const fingerprint = rows[0]?.fingerprint ?? ''
      if (fingerprint === known) return null
      const active = await pool.query<ActiveSchema>(READ_ACTIVE)
      known = fingerprint
      return active.rows
    },
    close: () => pool.end()
  }
}
