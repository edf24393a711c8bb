import type { DeliveryFilter } from '../delivery-records.js'

// Filters clients through their endpoints, which have indexes. To the planner an unset
// condition is a constant, and it drops it.
export const DELIVERY_FILTER = `
      ($1::bigint[] IS NULL OR d.id = ANY ($1::bigint[]))
  AND ($2::text IS NULL OR d.endpoint_id = ANY (ARRAY(SELECT e.id FROM endpoint e WHERE e.fk_client_name = $2)))
  AND ($3::int IS NULL OR d.endpoint_id = $3)
  AND ($4::text IS NULL OR EXISTS (
    SELECT FROM message m
    WHERE m.fk_client_name = d.fk_client_name AND m.message_id = d.message_id AND m.fk_event_type_name = $4
  ))
  AND ($5::text IS NULL OR d.state = $5)
  AND ($6::text IS NULL OR d.dead_reason = $6)
  AND ($7::timestamptz IS NULL OR d.created_at >= $7)`

/** The values of DELIVERY_FILTER, $1 to $7. */
export function deliveryFilterValues({
  ids,
  client,
  endpointId,
  eventType,
  state,
  reason,
  since
}: DeliveryFilter): unknown[] {
  return [ids, client, endpointId, eventType, state, reason, since]
}
