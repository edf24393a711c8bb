import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaVersion } from '../schema-registry.js'
import { IN_SCHEMA_PLACE, SCHEMA_COLUMNS } from './schema-columns.js'

const FIND = `
SELECT ${SCHEMA_COLUMNS} FROM event_schema
WHERE ${IN_SCHEMA_PLACE} AND state <> 'retired' AND hash = event_schema_hash($3::json)
ORDER BY state, version DESC LIMIT 1`

/** The version of this place, active or in shadow, whose schema equals `text`. */
export async function findSameSchema(
  db: Queryable,
  eventType: string,
  clientId: string | null,
  text: string
): Promise<SchemaVersion | null> {
  return (await db.query<SchemaVersion>(FIND, [eventType, clientId, text])).rows[0] ?? null
}
