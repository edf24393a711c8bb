import type { EventRejectionFilter } from '../records.js'

// The planner sees the values, so it drops a condition that is not set and uses the index
// of the others. Names have any length, and the index has only their start.
export const FILTER = `
      ($1::text[] IS NULL OR queue_message_id = ANY ($1::text[]))
  AND ($2::text IS NULL
       OR (left(client_name, 100) COLLATE "C" = left($2::text, 100) AND client_name = $2::text))
  AND ($3::text IS NULL OR event_type_name = $3::text)
  AND ($4::text IS NULL OR reason = $4::text)
  AND ($5::timestamptz IS NULL OR received_at >= $5::timestamptz)
  AND (NOT $6::boolean OR redriven_at IS NULL)`

/** The values of FILTER, $1 to $6. */
export function filterValues({
  ids,
  clientId,
  eventType,
  reason,
  since,
  isOpen
}: EventRejectionFilter): unknown[] {
  return [ids, clientId, eventType, reason, since, isOpen]
}

export function decodeBody(body: string, bodyEncoding: 'plain' | 'json-string'): string {
  return bodyEncoding === 'plain' ? body : (JSON.parse(body) as string)
}
