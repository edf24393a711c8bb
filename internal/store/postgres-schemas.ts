/**
 * Reads the payload schemas that are active or in shadow from `event_schema`, and hears at once when that table changes.
 *
 * One connection of its own listens on the channel that the table's trigger notifies. It is opened by the first read, and again by the read
 * after it was lost: it listens before it reads, so no change falls in between.
 *
 * Errors  the driver's: the caller keeps what it has and asks again.
 */
import pg from 'pg'
import type { RegisteredSchema } from '../validate/payload-schemas.js'

const READ_REGISTERED = `
SELECT id, event_type AS "eventType", client AS "clientId", version, state, hash, schema
FROM event_schema WHERE state <> 'retired'
ORDER BY event_type, client, version`

/** Tells cheaply whether anything has changed: what a version says never does, so the schemas themselves stay on the server. */
const READ_FINGERPRINT = `
SELECT coalesce(string_agg(concat_ws(' ', id, state), ',' ORDER BY id), '') AS fingerprint
FROM event_schema WHERE state <> 'retired'`

const QUERY_TIMEOUT_MS = 5_000

export interface SchemaSource {
  /** The schemas that are active or in shadow, or null when they are the same as at the last call that gave them. */
  readChanged(): Promise<readonly RegisteredSchema[] | null>
  close(): Promise<void>
}

export interface SchemaSourceOptions {
  readonly connectionString: string
  /** The table has changed, or the connection is lost and nothing would be heard: time to read. */
  readonly onNews: () => void
}

export function createSchemaSource({ connectionString, onNews }: SchemaSourceOptions): SchemaSource {
  let connection: Promise<pg.Client> | null = null
  let known: string | null = null
  let isClosed = false

  async function open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString,
      query_timeout: QUERY_TIMEOUT_MS,
      statement_timeout: QUERY_TIMEOUT_MS - 1_000,
      connectionTimeoutMillis: QUERY_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'event-process schemas'
    })
    client.on('error', () => undefined)
    await client.connect()
    client.on('end', () => {
      if (isClosed) return
      connection = null
      onNews()
    })
    client.on('notification', onNews)
    await client.query('LISTEN event_schema').catch(drop(client))
    return client
  }

  /** Whether a connection that failed once can be trusted again is not worth finding out. */
  function drop(client: pg.Client): (error: unknown) => never {
    return error => {
      client.connection.stream.destroy()
      throw error
    }
  }

  return {
    async readChanged() {
      connection ??= open()
      const opening = connection
      const client = await opening.catch((error: unknown) => {
        if (connection === opening) connection = null
        throw error
      })
      const { rows } = await client.query<{ fingerprint: string }>(READ_FINGERPRINT).catch(drop(client))
      const fingerprint = rows[0]?.fingerprint ?? ''
      if (fingerprint === known) return null
      const registered = await client.query<RegisteredSchema>(READ_REGISTERED).catch(drop(client))
      known = fingerprint
      return registered.rows
    },

    async close() {
      isClosed = true
      const client = await connection?.catch(() => null)
      await client?.end()
    }
  }
}
