import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { EventRejectionFilter, EventRejectionRecord } from '../records.js'
import { decodeBody, FILTER, filterValues } from './rejection-filter.js'
import { REJECTION_HEAD } from './rejection-head.js'

const OPEN_CURSOR = `
DECLARE rejections NO SCROLL CURSOR FOR
SELECT ${REJECTION_HEAD}, body, body_encoding AS "bodyEncoding" FROM rejection WHERE ${FILTER}
ORDER BY received_at, queue_message_id LIMIT $7`

/** Rows per round trip: bodies have up to 1 MiB each, and all are in memory at once. */
const FETCH = 'FETCH 32 FROM rejections'

type EncodedRecord = EventRejectionRecord & { readonly bodyEncoding: 'plain' | 'json-string' }

/** Oldest first. Must run in a transaction of the caller. */
export async function* readRejections(
  db: Queryable,
  filter: EventRejectionFilter,
  limit: number | null
): AsyncGenerator<EventRejectionRecord> {
  await db.query(OPEN_CURSOR, [...filterValues(filter), limit])
  for (;;) {
    const { rows } = await db.query<EncodedRecord>(FETCH)
    if (rows.length === 0) return
    for (const { bodyEncoding, body, ...head } of rows)
      yield { ...head, body: decodeBody(body, bodyEncoding) }
  }
}
