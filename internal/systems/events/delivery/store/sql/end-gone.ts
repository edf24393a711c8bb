import type { Queryable } from '../../../../../engine/postgres/queryable.js'

// The rows of message were deleted, so there is nothing left to send.
const END_GONE = `
UPDATE delivery SET state = 'dead', dead_reason = 'message-gone', next_attempt_at = NULL, finished_at = now()
WHERE id = ANY ($1::bigint[]) AND state = 'pending'`

export async function endGone(db: Queryable, deliveryIds: readonly string[]): Promise<void> {
  await db.query(END_GONE, [deliveryIds])
}
