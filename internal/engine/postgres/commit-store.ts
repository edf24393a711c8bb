/**
 * The store in PostgreSQL, for any system: one transaction per batch, on connections of
 * its own. A system gives its statements.
 *
 * Connections are opened when they are needed and replaced after any failure that is not
 * plainly a statement's own. A statement that gets no answer within `queryDeadlineMs`
 * fails and its connection with it, so that a half-open connection cannot hold a batch
 * for ever. `synchronous_commit` stays as the server has it; where it means that a commit
 * is answered before it is on disk, the server is refused.
 *
 * Units   milliseconds.
 * Errors  StoreError, as `classify` sees the cause.
 * Source  PostgreSQL manual: pg_xact_status, "Client Connection Defaults"; reads of
 *         `wasCommitted` belong on the primary.
 */
import { Socket } from 'node:net'
import pg from 'pg'
import { type Prepared, type Store, StoreError } from '../intake/store.js'
import type { Disposition, Entry, Rejection } from '../message/message.js'
import { assertDurable } from './durability.js'
import { beginTransaction, onConnection } from './transaction.js'
import { readTransactionStatus } from './transaction-status.js'
import { formatToken, parseToken, type TransactionToken } from './transaction-token.js'

export interface CommitStoreOptions {
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
  /** Refuse a server that may forget what it has committed (durability.ts). */
  readonly requireDurability: boolean
}

/** What a batch has written, once its transaction commits. */
export interface WrittenBatch extends TransactionToken {
  readonly dispositions: readonly Disposition[]
}

/**
 * A system's own statements.
 *
 * They are planned once per session, without looking at the tables: each finds its rows
 * by keys, whatever the size of the batch. A statement whose plan must be kept has a
 * name.
 */
export interface CommitStatements<Item, Refused extends Rejection = Rejection> {
  /** Whose connections they are, for pg_stat_activity. */
  readonly applicationName: string
  /**
   * Writes a batch as `Store.prepare` says, on a client that has begun a transaction. All
   * transactions take their locks in the same order, so that they never deadlock.
   */
  readonly write: (
    client: pg.ClientBase,
    batch: readonly Entry<Item, Refused>[]
  ) => Promise<WrittenBatch>
  /**
   * By table: finds the row that was written under a key ($2, $3, …) by a transaction
   * ($1), which its column `tx` names.
   */
  readonly findWitness: Readonly<Record<string, string>>
  /** Runs each statement on nothing, in a transaction that is rolled back. */
  readonly probe: (client: pg.ClientBase) => Promise<void>
}

/**
 * One for the batch under way, one for that of the express lane, and one for `probe` and
 * `wasCommitted`, which must not wait behind them.
 */
const CONNECTIONS = 3

// The driver speaks UTF-8 whatever the server's default says. Compiling short statements
// costs more than it saves. The statements of a batch are planned once per session,
// because planning takes longer than writing a small batch; all of them look by keys, so
// the plan is right for any size of batch and table as long as no table is read from end
// to end.
const SET_UP_SESSION = `
SET client_encoding = 'UTF8'; SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off`

export function createCommitStore<Item, Refused extends Rejection = Rejection>(
  options: CommitStoreOptions,
  { applicationName, write, findWitness, probe }: CommitStatements<Item, Refused>
): Store<Item, Refused> {
  const { queryDeadlineMs, requireDurability } = options
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: CONNECTIONS,
    // An idle connection stays: opening one takes longer than a commit.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: queryDeadlineMs,
    query_timeout: queryDeadlineMs,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs,
    keepAlive: true,
    application_name: applicationName,
    verify: (client, done) => void setUp(client).then(() => done(), done)
  })
  // An idle connection that breaks is replaced when the next one is needed.
  pool.on('error', () => undefined)
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
    async prepare(batch): Promise<Prepared> {
      const transaction = await beginTransaction(pool)
      const written = await transaction.run(client => write(client, batch))
      return {
        tx: formatToken(written),
        dispositions: written.dispositions,
        commit: () => transaction.commit(),
        rollBack: () => transaction.rollBack()
      }
    },

    /**
     * True when the row that the transaction wrote is there, written by it; asked after
     * the server has said that it is no longer under way. False is the safe answer: the
     * batch is then written again, and its rows tell for themselves whether they are
     * there.
     */
    async wasCommitted(tx): Promise<boolean> {
      const { xid, witness } = parseToken(tx)
      return onConnection(pool, async client => {
        if ((await readTransactionStatus(client, xid)) === 'in progress')
          throw new StoreError('transient', '55006', `transaction ${xid} is still under way`)
        const statement = witness === null ? undefined : findWitness[witness.table]
        if (witness === null || statement === undefined) return false
        const { rowCount } = await client.query(statement, [xid, ...witness.key])
        return rowCount === 1
      })
    },

    /**
     * Tables, columns, access rights and a server that takes writes, all in one.
     */
    async probe(): Promise<void> {
      const transaction = await beginTransaction(pool)
      await transaction.run(async client => {
        await assertUtf8(client)
        if (requireDurability) await assertDurable(client)
        await probe(client)
      })
      await transaction.rollBack()
    },

    close(): Promise<void> {
      closing ??= end()
      return closing
    }
  }
}

async function assertUtf8(client: pg.ClientBase): Promise<void> {
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
