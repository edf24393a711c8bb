import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { RejectionReason } from '../../event/event.js'
import type { EventRejectionFilter } from '../records.js'
import { FILTER, filterValues } from './rejection-filter.js'

const COUNT = `
SELECT reason, count(*)::int AS count FROM rejection WHERE ${FILTER}
GROUP BY reason ORDER BY count DESC, reason`

export async function countRejections(
  db: Queryable,
  filter: EventRejectionFilter
): Promise<ReadonlyMap<RejectionReason, number>> {
  const { rows } = await db.query<{ reason: RejectionReason; count: number }>(
    COUNT,
    filterValues(filter)
  )
  return new Map(rows.map(({ reason, count }) => [reason, count]))
}
