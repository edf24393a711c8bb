import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { AttemptRecord } from '../delivery-records.js'
import { ATTEMPT_COLUMNS } from './record-columns.js'

const READ_ATTEMPTS = `
SELECT ${ATTEMPT_COLUMNS} FROM delivery_attempt a
WHERE a.delivery_id = ANY ($1::bigint[]) ORDER BY a.delivery_id, a.attempt`

export async function readAttempts(
  db: Queryable,
  deliveryIds: readonly string[]
): Promise<readonly AttemptRecord[]> {
  return (await db.query<AttemptRecord>(READ_ATTEMPTS, [deliveryIds])).rows
}
