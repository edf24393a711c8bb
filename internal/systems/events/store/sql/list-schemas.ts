import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaFilter, SchemaVersion } from '../schema-registry.js'
import { SCHEMA_COLUMNS } from './schema-columns.js'

const LIST = `
SELECT ${SCHEMA_COLUMNS} FROM event_schema
WHERE ($1::text IS NULL OR event_type = $1)
  AND ($2::boolean OR client IS NOT DISTINCT FROM $3::text)
  AND ($4::int IS NULL OR version = $4) AND ($5::text IS NULL OR state = $5)
ORDER BY event_type, client NULLS FIRST, version`

export async function listSchemas(
  db: Queryable,
  { eventType, clientId, version, state }: SchemaFilter
): Promise<readonly SchemaVersion[]> {
  const { rows } = await db.query<SchemaVersion>(LIST, [
    eventType ?? null,
    clientId === undefined,
    clientId ?? null,
    version ?? null,
    state ?? null
  ])
  return rows
}
