/**
 * Connections of a program that does not live by its database alone.
 *
 * They are opened when they are needed, so whoever never asks needs no database.
 *
 * Units   milliseconds.
 */
import pg from 'pg'
import type { DbLimits } from './settings.js'

export interface PoolTarget
  extends Pick<DbLimits, 'statementTimeoutMs' | 'lockTimeoutMs' | 'queryDeadlineMs'> {
  readonly connectionString: string
}

/** Whose connections they are. */
export interface PoolUse {
  /** For pg_stat_activity. */
  readonly applicationName: string
  readonly connections: number
  /**
   * A program that stands still in a transaction for so long gives up what it holds, for
   * others wait for that.
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
