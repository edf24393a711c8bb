/**
 * The PostgreSQL of a chaos run: stopped, crashed and restarted as the plan says, on one
 * data directory. Each start takes a free port; `onPort` gives the proxy the current one,
 * null while the server is down.
 *
 * Errors  queries reject while the server is down; `whenUp` waits for it.
 */
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../engine/embedded/postgres.js'
import { durableSettings } from '../../engine/embedded/postgres-settings.js'
import { EMBEDDED_DATABASE } from '../../systems/base-config.js'
import { migrateEvents } from '../../systems/events/store/migrate.js'
import { eventually } from '../programs/eventually.js'
import { isRunning, signal, untilGone } from '../programs/processes.js'

export type StopMode = 'fast' | 'immediate' | 'kill'

export interface RowCounts {
  readonly stored: number
  readonly rejected: number
}

export interface DatabaseOptions {
  readonly directory: string
  readonly onPort: (port: number | null) => void
}

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const
const STOP_MS = 30_000
const UP_MS = 30_000
const QUERY_MS = 20_000
/** Names the harness's own sessions; the programs' sessions have other names. */
const OUR_NAME = 'event-process chaos'
export const STORE_SESSION = `application_name = 'event-process store'`
export const OUR_SESSIONS = `application_name IN ('event-process store', 'event-process sender')`

export class ChaosDatabase {
  readonly #options: DatabaseOptions
  #server: EmbeddedPostgres
  #pool: pg.Pool

  private constructor(options: DatabaseOptions, server: EmbeddedPostgres) {
    this.#options = options
    this.#server = server
    this.#pool = poolFor(server)
    options.onPort(server.port)
  }

  static async start(options: DatabaseOptions): Promise<ChaosDatabase> {
    const server = await startPostgres(options.directory)
    await migrateEvents(server.connectionString)
    return new ChaosDatabase(options, server)
  }

  get connectionString(): string {
    return this.#server.connectionString
  }

  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = []
  ): Promise<readonly Row[]> {
    const { rows } = await this.#pool.query<Row>(text, [...values])
    return rows
  }

  /** A separate session, for what must stay open. The caller ends it. */
  async session(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.connectionString,
      application_name: OUR_NAME
    })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  async stop(mode: StopMode): Promise<void> {
    const { pid } = this.#server
    const children = await this.query<{ pid: number }>('SELECT pid FROM pg_stat_activity').catch(
      () => []
    )
    this.#options.onPort(null)
    signal(pid, SIGNALS[mode])
    // Wait for the backends too, not only the postmaster: two generations of backends
    // would destroy the data directory.
    const took = await untilGone([pid, ...children.map(child => child.pid)], STOP_MS)
    if (took === null)
      throw new Error(`PostgreSQL did not end within ${STOP_MS} ms of ${SIGNALS[mode]}`)
    await this.#pool.end()
    await this.#server.stop()
  }

  /** Starts the stopped server again; resolves when it answers. */
  async startAgain(): Promise<void> {
    const { directory, onPort } = this.#options
    this.#server = await startPostgres(directory)
    this.#pool = poolFor(this.#server)
    onPort(this.#server.port)
  }

  /** When a backend dies of kill -9, the server ends all sessions and recovers. */
  async killBackend(draw: number): Promise<void> {
    const backends = await this.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE ${OUR_SESSIONS} ORDER BY pid`
    )
    const pid = backends[draw % Math.max(1, backends.length)]?.pid
    if (pid === undefined || !isRunning(pid)) return
    signal(pid, 'SIGKILL')
    await untilGone([pid], STOP_MS)
  }

  async whenUp(): Promise<void> {
    const isUp = (): Promise<boolean> =>
      this.query('SELECT').then(
        () => true,
        () => false
      )
    if ((await eventually(isUp, UP_MS)) === null)
      throw new Error(`PostgreSQL does not answer after ${UP_MS} ms`)
  }

  /**
   * Resolves when the processor has no open transaction: then the outcome of everything
   * its dead workers began is decided.
   */
  async whenQuiet(withinMs: number): Promise<boolean> {
    const isQuiet = async (): Promise<boolean> =>
      (
        await this.query(
          `SELECT FROM pg_stat_activity WHERE ${STORE_SESSION} AND xact_start IS NOT NULL`
        )
      ).length === 0
    return (await eventually(isQuiet, withinMs)) !== null
  }

  async countRows(): Promise<RowCounts> {
    const rows = await this.query<RowCounts>(
      'SELECT (SELECT count(*)::int FROM message) AS stored, (SELECT count(*)::int FROM rejection) AS rejected'
    )
    return rows[0] ?? { stored: 0, rejected: 0 }
  }

  async close(): Promise<void> {
    await this.#pool.end()
    await this.#server.stop()
  }
}

/** With the durability settings of a user's database, because a chaos run crashes it. */
export function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const database = EMBEDDED_DATABASE
  return startEmbeddedPostgres({ dataDir, port: 0, database, settings: durableSettings })
}

function poolFor({ connectionString }: EmbeddedPostgres): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: 4,
    application_name: OUR_NAME,
    query_timeout: QUERY_MS,
    connectionTimeoutMillis: QUERY_MS
  })
  // The plan breaks its connections.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  return pool
}
