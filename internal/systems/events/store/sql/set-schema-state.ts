import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { SchemaState, SchemaVersion } from '../schema-registry.js'
import { SCHEMA_COLUMNS } from './schema-columns.js'

const SET = `UPDATE event_schema SET state = $2 WHERE id = $1 RETURNING ${SCHEMA_COLUMNS}`

/** The caller must have locked the version. */
export async function setSchemaState(
  db: Queryable,
  id: number,
  state: SchemaState
): Promise<SchemaVersion> {
  const [version] = (await db.query<SchemaVersion>(SET, [id, state])).rows
  if (version === undefined) throw new Error(`schema ${id} is gone`)
  return version
}
