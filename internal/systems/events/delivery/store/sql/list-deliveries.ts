import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DeliveryFilter, DeliveryRecord } from '../delivery-records.js'
import { DELIVERY_FILTER, deliveryFilterValues } from './delivery-filter.js'
import { DELIVERY_COLUMNS } from './record-columns.js'

const LIST = `
SELECT ${DELIVERY_COLUMNS} FROM delivery d WHERE ${DELIVERY_FILTER} ORDER BY d.id DESC LIMIT $8`

export async function listDeliveries(
  db: Queryable,
  filter: DeliveryFilter,
  limit: number
): Promise<readonly DeliveryRecord[]> {
  return (await db.query<DeliveryRecord>(LIST, [...deliveryFilterValues(filter), limit])).rows
}
