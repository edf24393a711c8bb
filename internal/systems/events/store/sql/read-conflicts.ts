import type { ClientBase } from 'pg'
import { encodeTextArray } from '../../../../engine/postgres/array-parameter.js'
import type { ValidEvent } from '../../event/event.js'

/**
 * How a stored row differs from the event: in its content, or it has been deleted since
 * it prevented the insert.
 */
export type Difference = 'differs' | 'gone'

// This is a separate statement after the insert. In READ COMMITTED, a row that another
// session commits meanwhile can prevent the insert, although the insert's snapshot does
// not show it; the snapshot of the next statement does. Comparing texts needs no hash
// column. LIMIT 1 makes the server look up each row by its key, whatever the size of the
// table was when the statement was planned.
const READ_CONFLICTS = `
SELECT t.n::int, CASE WHEN m.message_id IS NULL THEN 'gone' ELSE 'differs' END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
     WITH ORDINALITY AS t (client, type, id, body, n)
LEFT JOIN LATERAL (
  SELECT message_id, fk_event_type_name, message FROM message
  WHERE fk_client_name = t.client AND message_id = t.id LIMIT 1
) m ON true
WHERE m.message_id IS NULL OR m.fk_event_type_name <> t.type OR m.message::text <> t.body`

/**
 * The events, by index, that differ from the row stored under their key. Each key must
 * exist.
 */
export async function readConflicts(
  client: ClientBase,
  events: readonly ValidEvent[]
): Promise<readonly (readonly [index: number, difference: Difference])[]> {
  const columns = [
    events.map(event => event.clientId),
    events.map(event => event.eventType),
    events.map(event => event.messageId),
    events.map(event => event.payload)
  ]
  const { rows } = await client.query<[n: number, difference: Difference]>({
    name: 'read-conflicts',
    text: READ_CONFLICTS,
    values: columns.map(encodeTextArray),
    rowMode: 'array'
  })
  return rows.map(([n, difference]) => [n - 1, difference])
}
