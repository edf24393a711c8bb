/**
 * One connection that listens on a channel and reads what has changed.
 *
 * The first read opens it, and so does the first read after it was lost. It listens
 * before it reads, so no change is missed in between.
 *
 * Errors  the driver's; after any failure the connection is dropped.
 */
import pg from 'pg'

const QUERY_TIMEOUT_MS = 5_000

export interface ListenerOptions {
  readonly connectionString: string
  readonly applicationName: string
  /** The LISTEN statement. */
  readonly listen: string
  /**
   * A notification came, or the connection was lost and none would be heard: time to
   * read.
   */
  readonly onNews: () => void
}

export interface Listener {
  read<T>(query: (client: pg.ClientBase) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export function createListener({
  connectionString,
  applicationName,
  listen,
  onNews
}: ListenerOptions): Listener {
  let connection: Promise<pg.Client> | null = null
  let isClosed = false

  async function open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString,
      query_timeout: QUERY_TIMEOUT_MS,
      statement_timeout: QUERY_TIMEOUT_MS - 1_000,
      connectionTimeoutMillis: QUERY_TIMEOUT_MS,
      keepAlive: true,
      application_name: applicationName
    })
    client.on('error', () => undefined)
    await client.connect()
    client.on('end', () => {
      if (isClosed) return
      connection = null
      onNews()
    })
    client.on('notification', onNews)
    await client.query(listen).catch(drop(client))
    return client
  }

  /** Drops the connection: finding out whether it still works is not worth it. */
  function drop(client: pg.Client): (error: unknown) => never {
    return error => {
      client.connection.stream.destroy()
      throw error
    }
  }

  return {
    async read(query) {
      if (isClosed) throw new Error('the listener is closed')
      connection ??= open()
      const opening = connection
      const client = await opening.catch((error: unknown) => {
        if (connection === opening) connection = null
        throw error
      })
      return query(client).catch(drop(client))
    },

    async close() {
      isClosed = true
      const client = await connection?.catch(() => null)
      // No goodbye: a silent server would not answer it, and this connection has nothing
      // to lose.
      client?.connection.stream.destroy()
    }
  }
}
