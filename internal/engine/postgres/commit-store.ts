/**
 * The store in PostgreSQL, for any system: one transaction per batch, on its own
 * connections. Each system supplies its statements.
 *
 * Connections are opened on demand, and replaced after any failure that is not plainly
 * the statement's own. A statement without an answer within `queryDeadlineMs` fails
 * together with its connection, so that a half-open connection cannot hold a batch for
 * ever. `synchronous_commit` stays as the server has it; a server that would answer a
 * commit before it is on disk is refused.
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
   * these limits.
   */
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleInTransactionTimeoutMs: number
  /**
   * We give up on a connection that has not answered a statement, or has not been
   * established, after this. It is longer than the server's own limits.
   */
  readonly queryDeadlineMs: number
  /** Refuse a server that may lose committed rows (durability.ts). */
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
 * by keys, whatever the batch size. A statement whose plan must be kept has a name.
 */
export interface CommitStatements<Item, Refused extends Rejection = Rejection> {
  /** The name of the connections in pg_stat_activity. */
  readonly applicationName: string
  /**
   * Writes a batch as `Store.prepare` says, on a client that has begun a transaction. All
   * transactions take their locks in the same order, so they never deadlock.
   */
  readonly write: (
    client: pg.ClientBase,
    batch: readonly Entry<Item, Refused>[]
  ) => Promise<WrittenBatch>
  /**
   * Per table: finds the row that a transaction ($1) wrote under a key ($2, $3, …). The
   * column `tx` of the row names the transaction.
   */
  readonly findWitness: Readonly<Record<string, string>>
  /** Runs each statement on an empty batch, in a transaction that is rolled back. */
  readonly probe: (client: pg.ClientBase) => Promise<void>
}

/**
 * One for the batch under way, one for the batch of the express lane, and one for `probe`
 * and `wasCommitted`, which must not wait for them.
 */
const CONNECTIONS = 3

// The driver speaks UTF-8, whatever the server's default. Compiling short statements
// costs more than it saves. The statements of a batch are planned once per session,
// because planning takes longer than writing a small batch. All of them search by keys,
// so the plan suits any size of batch and table, as long as no table is read from end to
// end.
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
    // A connection can break while we hold it and send nothing. Without a listener that
    // would end the process; with one, only the next query fails.
    client.on('error', () => undefined)
  })
  pool.on('remove', client => connected.delete(client))

  /**
   * Notices a server that came back, or took over, with other settings, before anything
   * is written to it.
   */
  async function setUp(client: pg.Client | pg.PoolClient): Promise<void> {
    await client.query(SET_UP_SESSION)
    if (requireDurability) await assertDurable(client)
  }

  let closing: Promise<void> | null = null
  async function end(): Promise<void> {
    const clients = [...connected]
    await pool.end()
    // A server that vanished never closes its side; that must not keep our process alive.
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
     * True when the row that the transaction wrote is there, written by it. This is asked
     * only after the server says that the transaction is no longer under way. False is
     * the safe answer: the batch is then written again, and its rows show for themselves
     * whether they were there.
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

    /** Checks tables, columns, access rights, and that the server takes writes. */
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
    `the database encoding is ${encoding ?? 'unknown'}, which cannot hold every text: ` +
      'create the database with UTF8'
  )
}
