import type { Queryable } from '../../../../engine/postgres/queryable.js'

const MARK = 'UPDATE rejection SET redriven_at = now() WHERE queue_message_id = ANY ($1::text[])'

/**
 * The time is the start of the transaction, before the message is sent: every outcome of
 * the copy is later.
 */
export async function markRedriven(
  db: Queryable,
  queueMessageIds: readonly string[]
): Promise<void> {
  await db.query(MARK, [queueMessageIds])
}
