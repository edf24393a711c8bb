import type { Queryable } from '../../../../engine/postgres/queryable.js'

// UNION, not OR: each part uses its own index.
const FIND = `
SELECT queue_message_id AS id FROM rejection WHERE queue_message_id = $1::text
UNION SELECT queue_message_id FROM rejection WHERE origin_queue_message_id = $1::text
UNION SELECT queue_message_id FROM rejection WHERE message_id = $1::text AND client_name = $2::text`

/**
 * Queue message ids of the rejections of that queue message, of its redriven copies and,
 * if a client is given, of its events with this id.
 */
export async function findRejectedIds(
  db: Queryable,
  id: string,
  clientId: string | null
): Promise<readonly string[]> {
  return (await db.query<{ id: string }>(FIND, [id, clientId])).rows.map(row => row.id)
}
