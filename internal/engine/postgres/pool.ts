/**
 * Connections for a program that can also work without its database.
 *
 * They are opened on demand, so a program that never queries needs no database.
 *
 * Units   milliseconds.
 */
import pg from 'pg'
import type { DbLimits } from './settings.js'

export interface PoolTarget
  extends Pick<DbLimits, 'statementTimeoutMs' | 'lockTimeoutMs' | 'queryDeadlineMs'> {
  readonly connectionString: string
}

/** Who uses the connections. */
export interface PoolUse {
  /** For pg_stat_activity. */
  readonly applicationName: string
  readonly connections: number
  /**
   * A program that is idle in a transaction for this long loses it, because others may
   * wait for its locks.
   */
  readonly idleInTransactionMs: number
}

export function createPostgresPool(target: PoolTarget, use: PoolUse): pg.Pool {
  const pool = new pg.Pool({
    connectionString: target.connectionString,
    max: use.connections,
    connectionTimeoutMillis: target.queryDeadlineMs,
    query_timeout: target.queryDeadlineMs,
    statement_timeout: target.statementTimeoutMs,
    lock_timeout: target.lockTimeoutMs,
    idle_in_transaction_session_timeout: use.idleInTransactionMs,
    keepAlive: true,
    application_name: use.applicationName
  })
  // The statement under way fails by itself; without listeners a broken connection would
  // end the process.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  return pool
}
