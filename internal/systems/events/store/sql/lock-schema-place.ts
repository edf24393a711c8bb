import type { Queryable } from '../../../../engine/postgres/queryable.js'

const LOCK = `
SELECT pg_advisory_xact_lock(
  hashtextextended(concat_ws(chr(10), 'event_schema', $1::text, $2::text), 0))`

/** Until the caller's transaction ends nobody else changes what is in force there. */
export async function lockSchemaPlace(
  db: Queryable,
  eventType: string,
  clientId: string | null
): Promise<void> {
  await db.query(LOCK, [eventType, clientId])
}
