import type { Queryable } from '../../../../engine/postgres/queryable.js'

const MARK = 'UPDATE rejection SET redriven_at = now() WHERE queue_message_id = ANY ($1::text[])'

/**
 * The time is that at which the transaction began, before the message was sent: whatever
 * becomes of the copy comes after it.
 */
export async function markRedriven(
  db: Queryable,
  queueMessageIds: readonly string[]
): Promise<void> {
  await db.query(MARK, [queueMessageIds])
}
