/**
 * The connections of programs that people wait for.
 *
 * They are opened when they are needed, so whoever never asks needs no database.
 *
 * Units   milliseconds.
 */
import pg from 'pg'

export interface PostgresPoolOptions {
  readonly connectionString: string
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly queryDeadlineMs: number
  /** Whose connections they are, for pg_stat_activity. */
  readonly application?: 'records' | 'sender'
  readonly connections?: number
}

/** One for the work, one for what is asked beside it. */
const CONNECTIONS = 2
/**
 * After this a program that stands still gives up what it holds. A claim of records waits
 * for the queue while it holds its rows; the sender waits for nothing but the database,
 * and holds the cursor that all senders wait for.
 */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = { records: 120_000, sender: 10_000 } as const

export function createPostgresPool(options: PostgresPoolOptions): pg.Pool {
  const application = options.application ?? 'records'
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.connections ?? CONNECTIONS,
    connectionTimeoutMillis: options.queryDeadlineMs,
    query_timeout: options.queryDeadlineMs,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS[application],
    keepAlive: true,
    application_name: `event-process ${application}`
  })
  // The statement under way fails by itself; without listeners a broken connection would
  // end the process.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  return pool
}
