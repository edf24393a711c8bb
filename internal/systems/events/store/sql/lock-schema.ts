import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaVersion } from '../schema-registry.js'
import { SCHEMA_COLUMNS } from './schema-columns.js'

const LOCK = `SELECT ${SCHEMA_COLUMNS} FROM event_schema WHERE id = $1 FOR UPDATE`

/** Nobody else changes it until the caller's transaction ends. */
export async function lockSchema(db: Queryable, id: number): Promise<SchemaVersion | null> {
  return (await db.query<SchemaVersion>(LOCK, [id])).rows[0] ?? null
}
