/**
 * Transactions, each on its own connection from a pool.
 *
 * After a failure that leaves the session sound (a row, a deadlock, a statement timeout)
 * the transaction is rolled back and the connection stays in use. Any other failure ends
 * the connection, because reconnecting beats guessing its state.
 *
 * Errors  StoreError, as `classify` sees the cause.
 */
import type pg from 'pg'
import { StoreError } from '../intake/store.js'
import { classify, rethrowClassified } from './fault.js'

/** Only the transaction failed; the session is as good as before. */
const SESSION_SURVIVES = new Set(['40001', '40P01', '55006', '55P03', '57014'])

/** A transaction that has begun: call either `commit` or `rollBack`, once. */
class OpenTransaction {
  readonly client: pg.PoolClient

  constructor(client: pg.PoolClient) {
    this.client = client
  }

  async commit(): Promise<void> {
    try {
      // A failed transaction rolls back, but still answers COMMIT with success: only the
      // command tag differs.
      const { command } = await this.client.query('COMMIT')
      if (command !== 'COMMIT')
        throw new StoreError('transient', '25P02', `the server answered COMMIT with ${command}`)
    } catch (error) {
      throw await this.#fail(error)
    }
    this.client.release()
  }

  async rollBack(): Promise<void> {
    const isRolledBack = await this.client.query('ROLLBACK').then(
      () => true,
      () => false
    )
    this.client.release(!isRolledBack)
  }

  /**
   * Returns the result of `work`. If that rejects, the transaction has ended without
   * effect.
   */
  async run<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    try {
      return await work(this.client)
    } catch (error) {
      throw await this.#fail(error)
    }
  }

  async #fail(error: unknown): Promise<StoreError> {
    const failure = classify(error)
    if (leavesSessionSound(failure)) await this.rollBack()
    else this.client.release(true)
    return failure
  }
}

export async function beginTransaction(pool: pg.Pool): Promise<OpenTransaction> {
  const client = await pool.connect().catch(rethrowClassified)
  const transaction = new OpenTransaction(client)
  await transaction.run(() => client.query('BEGIN ISOLATION LEVEL READ COMMITTED'))
  return transaction
}

/** Runs `work` in a transaction, which commits unless `work` rejects. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>
): Promise<T> {
  const transaction = await beginTransaction(pool)
  const result = await transaction.run(work)
  await transaction.commit()
  return result
}

/** Lends a connection to `work`, outside any transaction. */
export async function onConnection<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>
): Promise<T> {
  const client = await pool.connect().catch(rethrowClassified)
  let isSound = true
  try {
    return await work(client)
  } catch (error) {
    const failure = classify(error)
    isSound = leavesSessionSound(failure)
    throw failure
  } finally {
    client.release(!isSound)
  }
}

function leavesSessionSound(failure: StoreError): boolean {
  return failure.fault === 'data' || SESSION_SURVIVES.has(failure.code)
}
