import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DeliveryRecord, EventKey } from '../delivery-records.js'
import { DELIVERY_COLUMNS } from './record-columns.js'

const OF_EVENTS = `
SELECT ${DELIVERY_COLUMNS} FROM unnest($1::text[], $2::text[]) k (client, message_id)
JOIN delivery d ON d.fk_client_name = k.client AND d.message_id = k.message_id ORDER BY d.endpoint_id, d.id`

export async function deliveriesOfEvents(
  db: Queryable,
  keys: readonly EventKey[]
): Promise<readonly DeliveryRecord[]> {
  const clients = keys.map(({ clientId }) => clientId)
  const messageIds = keys.map(({ messageId }) => messageId)
  return (await db.query<DeliveryRecord>(OF_EVENTS, [clients, messageIds])).rows
}
