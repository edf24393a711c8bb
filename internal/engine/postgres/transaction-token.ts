/**
 * The `tx` of a prepared commit: a transaction id and a witness, which is one row that
 * the transaction wrote.
 *
 * An id alone proves nothing after a failover to a standby that missed the transaction:
 * the new primary gives the same id to another one. A witness with this id in its `tx`
 * column proves that the transaction took effect on the server that is asked.
 *
 * Shapes  a JSON array as text; opaque to all but the PostgreSQL adapter.
 * Errors  parseToken throws RangeError for text that formatToken did not write.
 */
export interface Witness {
  /** One of the tables that the system writes. */
  readonly table: string
  readonly key: readonly string[]
}

export interface TransactionToken {
  readonly xid: string
  /**
   * Null when the transaction wrote no row: then it does not matter whether it committed.
   */
  readonly witness: Witness | null
}

export function formatToken({ xid, witness }: TransactionToken): string {
  return JSON.stringify(witness === null ? [xid] : [xid, witness.table, ...witness.key])
}

export function parseToken(tx: string): TransactionToken {
  const [xid, table, ...key] = readStrings(tx)
  const isToken = xid !== undefined && /^\d+$/.test(xid) && (table === undefined) === !key.length
  if (!isToken) throw new RangeError(`not a transaction of this store: ${tx}`)
  return { xid, witness: table === undefined ? null : { table, key } }
}

function readStrings(tx: string): readonly string[] {
  try {
    const parts: unknown = JSON.parse(tx)
    return Array.isArray(parts) && parts.every(part => typeof part === 'string') ? parts : []
  } catch {
    return []
  }
}
