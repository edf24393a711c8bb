import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { AttemptRecord } from '../delivery-records.js'
import { ATTEMPT_COLUMNS } from './record-columns.js'

// No index holds delivered ones by endpoint, so they are searched among the latest of all
// endpoints.
const READ_LAST_ATTEMPTS = `
WITH recent AS (
  (SELECT id FROM delivery
   WHERE id > (SELECT max(id) - 100000 FROM delivery) AND endpoint_id = $1 AND attempts > 0
   ORDER BY id DESC LIMIT 100)
  UNION
  (SELECT id FROM (
     SELECT id, attempts FROM delivery WHERE endpoint_id = $1 AND state = 'pending'
     ORDER BY endpoint_id DESC, next_attempt_at DESC, id DESC LIMIT 1000
   ) p WHERE attempts > 0)
  UNION
  (SELECT id FROM delivery WHERE endpoint_id = $1 AND state = 'dead' ORDER BY endpoint_id DESC, id DESC LIMIT 100)
)
SELECT ${ATTEMPT_COLUMNS} FROM recent r JOIN delivery_attempt a ON a.delivery_id = r.id
ORDER BY a.started_at DESC, a.delivery_id DESC, a.attempt DESC LIMIT $2`

export async function readLastAttempts(
  db: Queryable,
  endpointId: number,
  limit: number
): Promise<readonly AttemptRecord[]> {
  return (await db.query<AttemptRecord>(READ_LAST_ATTEMPTS, [endpointId, limit])).rows
}
