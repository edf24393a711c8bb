import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DeliveryFilter } from '../delivery-records.js'
import { DELIVERY_FILTER, deliveryFilterValues } from './delivery-filter.js'

// Each half reads a partial index that holds only the rows it counts.
const COUNT = `
SELECT (SELECT count(*)::int FROM delivery d WHERE d.state = 'pending' AND ${DELIVERY_FILTER}) AS pending,
       (SELECT count(*)::int FROM delivery d WHERE d.state = 'dead' AND ${DELIVERY_FILTER}) AS dead`

export interface DeliveryCounts {
  readonly pending: number
  readonly dead: number
}

export async function countDeliveries(
  db: Queryable,
  filter: DeliveryFilter
): Promise<DeliveryCounts> {
  const { rows } = await db.query<DeliveryCounts>(COUNT, deliveryFilterValues(filter))
  return rows[0] ?? { pending: 0, dead: 0 }
}
