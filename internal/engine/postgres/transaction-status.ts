import type { ClientBase } from 'pg'

/**
 * What the server says about a transaction id; `unknown`: older than it remembers, or not
 * assigned yet.
 */
export type TransactionStatus = 'in progress' | 'committed' | 'aborted' | 'unknown'

/** "Transaction ID … is in the future" and its like: this server never ran it. */
const INVALID_PARAMETER_VALUE = '22023'

export async function readTransactionStatus(
  client: ClientBase,
  xid: string
): Promise<TransactionStatus> {
  try {
    const { rows } = await client.query<{ status: TransactionStatus | null }>(
      'SELECT pg_xact_status($1::xid8) AS status',
      [xid]
    )
    return rows[0]?.status ?? 'unknown'
  } catch (error) {
    if ((error as { code?: unknown }).code === INVALID_PARAMETER_VALUE) return 'unknown'
    throw error
  }
}
