/**
 * The `tx` of a PreparedCommit: a transaction id together with one row that the
 * transaction wrote, its witness.
 *
 * An id alone proves nothing after a failover to a standby that missed the transaction:
 * the new primary gives the same id to another one. The witness, found with this id in
 * its `tx` column, proves that this transaction took effect on the server that is asked.
 *
 * Shapes  a JSON array as text; opaque to all but the PostgreSQL adapter.
 * Errors  parseToken throws RangeError for text that formatToken did not write.
 */
export type Witness =
  | { readonly table: 'message'; readonly clientId: string; readonly messageId: string }
  | { readonly table: 'rejection'; readonly queueMessageId: string }

export interface TransactionToken {
  readonly xid: string
  /**
   * Null when the transaction wrote no row: then it makes no difference whether it
   * committed.
   */
  readonly witness: Witness | null
}

export function formatToken({ xid, witness }: TransactionToken): string {
  if (witness === null) return JSON.stringify([xid])
  return JSON.stringify(
    witness.table === 'message'
      ? [xid, witness.clientId, witness.messageId]
      : [xid, witness.queueMessageId]
  )
}

export function parseToken(tx: string): TransactionToken {
  const parts = readStrings(tx)
  const [xid, first, second] = parts
  if (xid === undefined || !/^\d+$/.test(xid) || parts.length > 3)
    throw new RangeError(`not a transaction of this store: ${tx}`)
  if (first === undefined) return { xid, witness: null }
  const witness: Witness =
    second === undefined
      ? { table: 'rejection', queueMessageId: first }
      : { table: 'message', clientId: first, messageId: second }
  return { xid, witness }
}

function readStrings(tx: string): readonly string[] {
  try {
    const parts: unknown = JSON.parse(tx)
    return Array.isArray(parts) && parts.every(part => typeof part === 'string') ? parts : []
  } catch {
    return []
  }
}
