/**
 * Reads the payload schemas that are active or in shadow from `event_schema`, and hears
 * at once when that table changes.
 *
 * Errors  the driver's: the caller keeps what it has and asks again.
 */

import { createListener } from '../../../engine/postgres/listener.js'
import type { RegisteredSchema } from '../schemas/payload-schemas.js'

const READ_REGISTERED = `
SELECT id, event_type AS "eventType", client AS "clientId", version, state, hash, schema
FROM event_schema WHERE state <> 'retired'
ORDER BY event_type, client, version`

/**
 * Tells cheaply whether anything has changed: what a version says never does, so the
 * schemas themselves stay on the server.
 */
const READ_FINGERPRINT = `
SELECT coalesce(string_agg(concat_ws(' ', id, state), ',' ORDER BY id), '') AS fingerprint
FROM event_schema WHERE state <> 'retired'`

export interface SchemaSource {
  /**
   * The schemas that are active or in shadow, or null when they are the same as at the
   * last call that gave them.
   */
  readChanged(): Promise<readonly RegisteredSchema[] | null>
  close(): Promise<void>
}

export interface SchemaSourceOptions {
  readonly connectionString: string
  /**
   * The table has changed, or the connection is lost and nothing would be heard: time to
   * read.
   */
  readonly onNews: () => void
}

export function createSchemaSource({
  connectionString,
  onNews
}: SchemaSourceOptions): SchemaSource {
  const listener = createListener({
    connectionString,
    applicationName: 'event-process schemas',
    listen: 'LISTEN event_schema',
    onNews
  })
  let known: string | null = null
  return {
    readChanged: () =>
      listener.read(async client => {
        const { rows } = await client.query<{ fingerprint: string }>(READ_FINGERPRINT)
        const fingerprint = rows[0]?.fingerprint ?? ''
        if (fingerprint === known) return null
        const registered = await client.query<RegisteredSchema>(READ_REGISTERED)
        known = fingerprint
        return registered.rows
      }),
    close: () => listener.close()
  }
}
