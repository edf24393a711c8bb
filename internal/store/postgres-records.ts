/**
 * The records in PostgreSQL, for programs that people wait for.
 *
 * Connections are opened when they are needed, so whoever never asks needs no database.
 *
 * Units   milliseconds.
 * Errors  StoreError, as `classify` sees the cause; what `send` throws comes back unchanged.
 */
import pg from 'pg'
import { classify } from './fault.js'
import { ALL_REJECTIONS, type Records } from './records.js'
import { claimRejections, markRedriven } from './sql/claim-rejections.js'
import { findStored } from './sql/find-stored.js'
import { countRejections, findRejectedIds, listRejections, readRejections } from './sql/read-rejections.js'

export interface PostgresRecordsOptions {
  readonly connectionString: string
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly queryDeadlineMs: number
}

/** One for the work, one for what is asked beside it. */
const CONNECTIONS = 2
/** A claim waits for the queue while it holds its rows; a program that stands still for longer gives them up. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 120_000

export function createPostgresRecords(options: PostgresRecordsOptions): Records {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: CONNECTIONS,
    connectionTimeoutMillis: options.queryDeadlineMs,
    query_timeout: options.queryDeadlineMs,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'event-process records'
  })
  // The statement under way fails by itself; without listeners a broken connection would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))

  const ask = <T>(question: (db: pg.Pool) => Promise<T>): Promise<T> => question(pool).catch(rethrow)

  return {
    listRejections: (filter, limit) => ask(db => listRejections(db, filter, limit)),
    countRejections: filter => ask(db => countRejections(db, filter)),
    findStored: (clientId, messageId) => ask(db => findStored(db, clientId, messageId)),
    findRejections: (id, clientId) =>
      ask(async db => {
        const ids = await findRejectedIds(db, id, clientId)
        return ids.length === 0 ? [] : listRejections(db, { ...ALL_REJECTIONS, ids }, ids.length)
      }),
    markRedriven: ids => ask(db => markRedriven(db, ids)),

    async *readRejections(filter, limit) {
      const client = await pool.connect().catch(rethrow)
      try {
        // Whoever reads may be slow, a pager for instance.
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0')
        yield* readRejections(client, filter, limit)
      } catch (error) {
        throw classify(error)
      } finally {
        // Also when the reader leaves in the middle: the transaction ends with its connection.
        client.release(true)
      }
    },

    async now() {
      const { rows } = await ask(db => db.query<{ now: string }>('SELECT now()::text AS now'))
      return rows[0]?.now ?? ''
    },

    async claimRejections(claim, send) {
      const client = await pool.connect().catch(rethrow)
      let isOver = false
      try {
        await client.query('BEGIN ISOLATION LEVEL READ COMMITTED').catch(rethrow)
        const { rejections, last } = await claimRejections(client, claim).catch(rethrow)
        const sent = rejections.length === 0 ? [] : await send(rejections)
        if (sent.length > 0) await markRedriven(client, sent).catch(rethrow)
        await client.query('COMMIT').catch(rethrow)
        isOver = true
        return last
      } finally {
        // A transaction that did not come to its end goes with its connection.
        client.release(!isOver)
      }
    },

    close: () => pool.end()
  }
}

function rethrow(error: unknown): never {
  throw classify(error)
}
