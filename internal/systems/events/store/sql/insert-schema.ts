import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaVersion } from '../schema-registry.js'
import { IN_SCHEMA_PLACE, SCHEMA_COLUMNS } from './schema-columns.js'

const INSERT = `
INSERT INTO event_schema (event_type, client, version, schema)
SELECT $1::text, $2::text, coalesce(max(version), 0) + 1, $3::json
FROM event_schema WHERE ${IN_SCHEMA_PLACE}
RETURNING ${SCHEMA_COLUMNS}`

/** Inserts the next version of its place, in shadow. */
export async function insertSchema(
  db: Queryable,
  eventType: string,
  clientId: string | null,
  text: string
): Promise<SchemaVersion> {
  const [added] = (await db.query<SchemaVersion>(INSERT, [eventType, clientId, text])).rows
  if (added === undefined) throw new Error('the insert returned no row')
  return added
}
