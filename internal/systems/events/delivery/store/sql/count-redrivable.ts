import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DeliveryFilter } from '../delivery-records.js'
import { DELIVERY_FILTER, deliveryFilterValues } from './delivery-filter.js'

const COUNT_REDRIVABLE = `
SELECT count(*) FILTER (WHERE e.state = 'enabled')::int AS movable,
       count(*) FILTER (WHERE e.state <> 'enabled')::int AS "ofDisabled"
FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id WHERE d.state = 'dead' AND ${DELIVERY_FILTER}`

export interface RedrivableCounts {
  readonly movable: number
  readonly ofDisabled: number
}

export async function countRedrivable(
  db: Queryable,
  filter: DeliveryFilter
): Promise<RedrivableCounts> {
  const { rows } = await db.query<RedrivableCounts>(COUNT_REDRIVABLE, deliveryFilterValues(filter))
  return rows[0] ?? { movable: 0, ofDisabled: 0 }
}
