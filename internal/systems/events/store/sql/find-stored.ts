import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { StoredEvent } from '../records.js'

// The key begins with the client: for all clients, the index is searched once per client.
const FIND_STORED = `
SELECT fk_client_name AS "clientId", fk_event_type_name AS "eventType", message_id AS "messageId",
       received_at AS "receivedAt", tx::text AS tx, octet_length(message::text) AS "payloadBytes"
FROM message
WHERE fk_client_name = ANY (
    CASE WHEN $1::text IS NULL THEN ARRAY(SELECT name FROM client) ELSE ARRAY[$1::text] END)
  AND message_id = $2::text
ORDER BY fk_client_name`

export async function findStored(
  db: Queryable,
  clientId: string | null,
  messageId: string
): Promise<readonly StoredEvent[]> {
  return (await db.query<StoredEvent>(FIND_STORED, [clientId, messageId])).rows
}
