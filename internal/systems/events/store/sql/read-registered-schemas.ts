import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { RegisteredSchema } from '../../schemas/payload-schemas.js'

const READ = `
SELECT id, event_type AS "eventType", client AS "clientId", version, state, hash, schema
FROM event_schema WHERE state <> 'retired'
ORDER BY event_type, client, version`

/** The versions that are active or in shadow. */
export async function readRegisteredSchemas(db: Queryable): Promise<readonly RegisteredSchema[]> {
  return (await db.query<RegisteredSchema>(READ)).rows
}
