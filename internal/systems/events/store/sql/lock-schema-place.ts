import type { Queryable } from '../../../../engine/postgres/queryable.js'

const LOCK = `
SELECT pg_advisory_xact_lock(
  hashtextextended(concat_ws(chr(10), 'event_schema', $1::text, $2::text), 0))`

/** Nobody else adds or activates versions there until the caller's transaction ends. */
export async function lockSchemaPlace(
  db: Queryable,
  eventType: string,
  clientId: string | null
): Promise<void> {
  await db.query(LOCK, [eventType, clientId])
}
