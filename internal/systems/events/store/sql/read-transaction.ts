import type { ClientBase } from 'pg'
import type { Witness } from '../../../../engine/postgres/transaction-token.js'

/**
 * What the server says of a transaction id; `unknown` = older than it remembers, or not
 * given out yet.
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

const READ_STORED =
  'SELECT FROM message WHERE fk_client_name = $2 AND message_id = $3 AND tx = $1::xid8'
const READ_REJECTED = 'SELECT FROM rejection WHERE queue_message_id = $2 AND tx = $1::xid8'

/** Whether the row that the transaction wrote is there, written by it. */
export async function readWitness(
  client: ClientBase,
  xid: string,
  witness: Witness
): Promise<boolean> {
  const { rowCount } =
    witness.table === 'message'
      ? await client.query(READ_STORED, [xid, witness.clientId, witness.messageId])
      : await client.query(READ_REJECTED, [xid, witness.queueMessageId])
  return rowCount === 1
}
