import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { StoredFilter, StoredPayload } from '../records.js'

// Not sorted, so that the first rows come immediately, however many there are.
const OPEN_CURSOR = `
DECLARE stored NO SCROLL CURSOR FOR
SELECT fk_client_name AS "clientId", fk_event_type_name AS "eventType", message_id AS "messageId",
       received_at AS "receivedAt", message::text AS payload
FROM message
WHERE fk_event_type_name = $1::text AND ($2::text IS NULL OR fk_client_name = $2::text)
  AND received_at >= $3::timestamptz`

/** Rows per round trip: payloads have up to 1 MiB each, and all are in memory at once. */
const FETCH = 'FETCH 100 FROM stored'

/** Must run in a transaction of the caller. */
export async function* readStored(
  db: Queryable,
  { eventType, clientId, since }: StoredFilter
): AsyncGenerator<StoredPayload> {
  await db.query(OPEN_CURSOR, [eventType, clientId, since])
  for (;;) {
    const { rows } = await db.query<StoredPayload>(FETCH)
    if (rows.length === 0) return
    yield* rows
  }
}
