/**
 * The store in PostgreSQL: one transaction per batch, on connections of its own.
 *
 * Connections are opened when they are needed and replaced after any failure that is not
 * plainly a statement's own. A statement that gets no answer within `queryDeadlineMs`
 * fails and its connection with it, so that a half-open connection cannot hold a batch
 * for ever. `synchronous_commit` stays as the server has it; where it means that a commit
 * is answered before it is on disk, the server is refused.
 *
 * Units   milliseconds.
 * Errors  StoreError, as `classify` sees the cause; what `onPrepared` throws comes back
 *         unchanged.
 * Source  PostgreSQL manual: pg_xact_status, "Client Connection Defaults"; reads of
 *         `wasCommitted` belong on the primary.
 */
import { Socket } from 'node:net'
import pg from 'pg'
import { type PreparedCommit, type Store, StoreError } from '../../../engine/intake/store.js'
import type { Disposition, Entry } from '../../../engine/message/message.js'
import { assertDurable } from '../../../engine/postgres/durability.js'
import { classify } from '../../../engine/postgres/fault.js'
import { parseToken } from '../../../engine/postgres/transaction-token.js'
import { insertMessages } from './sql/insert-messages.js'
import { insertRejections } from './sql/insert-rejections.js'
import { readTransactionStatus, readWitness } from './sql/read-transaction.js'
import { writeBatch } from './write-batch.js'

export interface PostgresStoreOptions {
  readonly connectionString: string
  /**
   * The server ends a statement, a wait for a lock, or a forgotten transaction after
   * these.
   */
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleInTransactionTimeoutMs: number
  /**
   * We give up on a connection that has not answered a statement, or not come up, after
   * this. Longer than the server's own limits.
   */
  readonly queryDeadlineMs: number
  /**
   * Refuse a server that may forget what it has committed (durability.ts): every program
   * does; tests use servers that are fast instead.
   */
  readonly requireDurability?: boolean
  /** An idle connection broke; it is replaced when the next one is needed. */
  readonly onIdleError?: (error: StoreError) => void
}

/**
 * One for the batch under way, one for that of the express lane, and one for `probe` and
 * `wasCommitted`, which must not wait behind them.
 */
const CONNECTIONS = 3

/** The transaction failed for reasons of its own; the connection is as good as before. */
const CONNECTION_SURVIVES = new Set(['40001', '40P01', '55006', '55P03', '57014'])

// The driver speaks UTF-8 whatever the server's default says. Compiling statements as
// short as ours costs more than it saves. The statements of a batch are planned once per
// session, because planning takes longer than writing a small batch; all of them look by
// keys, so the plan is right for any size of batch and table as long as no table is read
// from end to end.
const SET_UP_SESSION = `
SET client_encoding = 'UTF8'; SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off`

export function createPostgresStore(options: PostgresStoreOptions): Store {
  const {
    connectionString,
    statementTimeoutMs,
    lockTimeoutMs,
    idleInTransactionTimeoutMs,
    queryDeadlineMs
  } = options
  const { requireDurability = false, onIdleError = () => undefined } = options
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS,
    // An idle connection stays: opening one takes longer than a commit.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: queryDeadlineMs,
    query_timeout: queryDeadlineMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    keepAlive: true,
    application_name: 'event-process store',
    verify: (client, done) => void setUp(client).then(() => done(), done)
  })
  pool.on('error', error => onIdleError(classify(error)))
  const connected = new Set<pg.PoolClient>()
  pool.on('connect', client => {
    connected.add(client)
    // A connection can break while we hold it and send nothing: without a listener that
    // would end the process. The next query then fails.
    client.on('error', () => undefined)
  })
  pool.on('remove', client => connected.delete(client))

  /**
   * A server that came back, or took over, with other settings is noticed here before
   * anything is written to it.
   */
  async function setUp(client: pg.Client | pg.PoolClient): Promise<void> {
    await client.query(SET_UP_SESSION)
    if (requireDurability) await assertDurable(client)
  }

  /**
   * Lends a connection to `work`; after a failure it stays in use only if `restore` says
   * that it can.
   */
  async function withClient<T>(
    work: (client: pg.PoolClient) => Promise<T>,
    restore = isUnharmed
  ): Promise<T> {
    const client = await pool.connect().catch(rethrow)
    let isSound = true
    try {
      return await work(client)
    } catch (error) {
      isSound = await restore(client, error)
      throw error
    } finally {
      client.release(!isSound)
    }
  }

  /** `work` ends the transaction itself; when it fails, nothing of it remains. */
  function inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return withClient(async client => {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED').catch(rethrow)
      return work(client)
    }, rollBack)
  }

  let closing: Promise<void> | null = null
  async function end(): Promise<void> {
    const clients = [...connected]
    await pool.end()
    // A server that is gone without a word never closes its side: that must not keep our
    // process.
    for (const { connection } of clients)
      if (connection.stream instanceof Socket) connection.stream.unref()
  }

  return {
    insert(
      batch: readonly Entry[],
      onPrepared: (prepared: PreparedCommit) => Promise<void>
    ): Promise<readonly Disposition[]> {
      return inTransaction(async client => {
        const prepared = await writeBatch(client, batch).catch(rethrow)
        await onPrepared(prepared)
        await commit(client).catch(rethrow)
        return prepared.dispositions
      })
    },

    /**
     * True when the row that the transaction wrote is there, written by it; asked after
     * the server has said that it is no longer under way. False is the safe answer: the
     * batch is then written again, and its rows tell for themselves whether they are
     * there.
     */
    async wasCommitted(tx: string): Promise<boolean> {
      const { xid, witness } = parseToken(tx)
      return withClient(async client => {
        const status = await readTransactionStatus(client, xid).catch(rethrow)
        if (status === 'in progress')
          throw new StoreError('transient', '55006', `transaction ${xid} is still under way`)
        return witness !== null && (await readWitness(client, xid, witness).catch(rethrow))
      })
    },

    /**
     * Runs our statements on empty lists and rolls back: tables, columns, access rights
     * and a server that takes writes, all in one.
     */
    probe(): Promise<void> {
      return inTransaction(async client => {
        await assertUtf8(client).catch(rethrow)
        if (requireDurability) await assertDurable(client).catch(rethrow)
        await insertMessages(client, []).catch(rethrow)
        await insertRejections(client, []).catch(rethrow)
        await client.query('ROLLBACK').catch(rethrow)
      })
    },

    close(): Promise<void> {
      closing ??= end()
      return closing
    }
  }
}

function rethrow(error: unknown): never {
  throw classify(error)
}

/**
 * A failed transaction answers COMMIT with success, and rolls back: only the command's
 * tag tells.
 */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT')
  if (command !== 'COMMIT')
    throw new StoreError('transient', '25P02', `the server answered COMMIT with ${command}`)
}

async function assertUtf8(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    `SELECT current_setting('server_encoding') AS encoding`
  )
  const encoding = rows[0]?.encoding
  if (encoding === 'UTF8') return
  throw new StoreError(
    'schema',
    '22P05',
    `the database has the encoding ${encoding ?? 'unknown'} and cannot hold every text: create it with UTF8`
  )
}

async function rollBack(client: pg.PoolClient, error: unknown): Promise<boolean> {
  if (!(await isUnharmed(client, error))) return false
  try {
    await client.query('ROLLBACK')
    return true
  } catch {
    return false
  }
}

function isUnharmed(_client: pg.PoolClient, error: unknown): Promise<boolean> {
  return Promise.resolve(
    !(error instanceof StoreError) || error.fault === 'data' || CONNECTION_SURVIVES.has(error.code)
  )
}
