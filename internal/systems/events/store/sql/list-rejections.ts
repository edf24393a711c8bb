import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { EventRejectionFilter, EventRejectionHead } from '../records.js'
import { FILTER, filterValues } from './rejection-filter.js'
import { REJECTION_HEAD } from './rejection-head.js'

const LIST = `
SELECT ${REJECTION_HEAD} FROM rejection WHERE ${FILTER}
ORDER BY received_at DESC, queue_message_id DESC LIMIT $7`

/** Newest first. */
export async function listRejections(
  db: Queryable,
  filter: EventRejectionFilter,
  limit: number
): Promise<readonly EventRejectionHead[]> {
  return (await db.query<EventRejectionHead>(LIST, [...filterValues(filter), limit])).rows
}
