import type pg from 'pg'
import { classify } from './fault.js'

/**
 * What fails ends its connection: the transactions are short, and a new connection is
 * cheaper than a doubt. Rejects with a StoreError.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>
): Promise<T> {
  const client = await pool.connect().catch(rethrow)
  let isDone = false
  try {
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    const result = await work(client)
    const { command } = await client.query('COMMIT')
    if (command !== 'COMMIT') throw new Error(`the server answered COMMIT with ${command}`)
    isDone = true
    return result
  } catch (error) {
    return rethrow(error)
  } finally {
    client.release(!isDone)
  }
}

function rethrow(error: unknown): never {
  throw classify(error)
}
