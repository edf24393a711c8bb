import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaVersion } from '../schema-registry.js'
import { IN_SCHEMA_PLACE, SCHEMA_COLUMNS } from './schema-columns.js'

const READ = `
SELECT ${SCHEMA_COLUMNS} FROM event_schema WHERE ${IN_SCHEMA_PLACE} AND state = 'active'`

export async function readActiveSchema(
  db: Queryable,
  eventType: string,
  clientId: string | null
): Promise<SchemaVersion | null> {
  return (await db.query<SchemaVersion>(READ, [eventType, clientId])).rows[0] ?? null
}
