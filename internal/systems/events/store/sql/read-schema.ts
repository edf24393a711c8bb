import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaVersionWithText } from '../schema-registry.js'
import { SCHEMA_COLUMNS } from './schema-columns.js'

const READ = `SELECT ${SCHEMA_COLUMNS}, schema::text AS text FROM event_schema WHERE id = $1`

export async function readSchema(db: Queryable, id: number): Promise<SchemaVersionWithText | null> {
  return (await db.query<SchemaVersionWithText>(READ, [id])).rows[0] ?? null
}
