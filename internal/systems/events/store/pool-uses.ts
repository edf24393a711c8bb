/** How this system's programs use their connections. */
import type { PoolUse } from '../../../engine/postgres/pool.js'

/**
 * Of the programs that people wait for. One for the transaction, one for queries made
 * meanwhile. A claim of rejections waits for the queue while it holds its rows.
 */
export const RECORDS_POOL: PoolUse = {
  applicationName: 'event-process records',
  connections: 2,
  idleInTransactionMs: 120_000
}

/**
 * Of the sender, which waits for nothing but the database while it holds the cursor that
 * all senders wait for.
 */
export const SENDER_POOL: PoolUse = {
  applicationName: 'event-process sender',
  connections: 2,
  idleInTransactionMs: 10_000
}
