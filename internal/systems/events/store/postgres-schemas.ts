/**
 * Reads the payload schemas that are active or in shadow from `event_schema`, and is
 * notified when that table changes.
 *
 * Errors  the driver's: the caller keeps its last schemas and reads again.
 */

import { createListener } from '../../../engine/postgres/listener.js'
import type { RegisteredSchema } from '../schemas/payload-schemas.js'
import { readRegisteredSchemas } from './sql/read-registered-schemas.js'
import { readSchemaFingerprint } from './sql/read-schema-fingerprint.js'

export interface SchemaSource {
  /**
   * The schemas that are active or in shadow, or null if they have not changed since the
   * last call that returned them.
   */
  readChanged(): Promise<readonly RegisteredSchema[] | null>
  close(): Promise<void>
}

export interface SchemaSourceOptions {
  readonly connectionString: string
  /** Time to read: the table has changed, or the connection is lost. */
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
        const fingerprint = await readSchemaFingerprint(client)
        if (fingerprint === known) return null
        const registered = await readRegisteredSchemas(client)
        known = fingerprint
        return registered
      }),
    close: () => listener.close()
  }
}
