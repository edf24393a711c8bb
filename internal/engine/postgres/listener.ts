/**
 * One connection that listens on a channel and reads what the news is about.
 *
 * It is opened by the first read, and again by the read after it was lost: it listens
 * before it reads, so no change falls in between.
 *
 * Errors  the driver's; whatever fails, its connection is given up.
 */
import pg from 'pg'

const QUERY_TIMEOUT_MS = 5_000

export interface ListenerOptions {
  readonly connectionString: string
  readonly applicationName: string
  /** The statement that begins to listen. */
  readonly listen: string
  /**
   * A notification came, or the connection is lost and none would be heard: time to read.
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

  /**
   * Whether a connection that failed once can be trusted again is not worth finding out.
   */
  function drop(client: pg.Client): (error: unknown) => never {
    return error => {
      client.connection.stream.destroy()
      throw error
    }
  }

  return {
    async read(query) {
      if (isClosed) throw new Error('closed')
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
      // Without a goodbye, which a server that has gone silent would not answer: this
      // connection has nothing to lose.
      client?.connection.stream.destroy()
    }
  }
}
