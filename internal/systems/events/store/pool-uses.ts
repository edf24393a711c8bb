/** How the programs of this system use their connections. */
import type { PoolUse } from '../../../engine/postgres/pool.js'

/**
 * For programs that people wait for. One connection is for the transaction, one for
 * queries made meanwhile. A claim of rejections waits for the queue while it holds its
 * rows.
 */
export const RECORDS_POOL: PoolUse = {
  applicationName: 'event-process records',
  connections: 2,
  idleInTransactionMs: 120_000
}

/**
 * For the sender. While it holds the cursor, for which all senders wait, it waits only
 * for the database.
 */
export const SENDER_POOL: PoolUse = {
  applicationName: 'event-process sender',
  connections: 2,
  idleInTransactionMs: 10_000
}
