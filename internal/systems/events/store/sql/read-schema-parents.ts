import type { Queryable } from '../../../../engine/postgres/queryable.js'

const READ = `
SELECT EXISTS (SELECT FROM event_type WHERE name = $1) AS "hasType",
       $2::text IS NULL OR EXISTS (SELECT FROM client WHERE name = $2) AS "hasClient"`

interface SchemaParents {
  readonly hasType: boolean
  readonly hasClient: boolean
}

/** Whether the event type and the client of a place exist. */
export async function readSchemaParents(
  db: Queryable,
  eventType: string,
  clientId: string | null
): Promise<SchemaParents> {
  const { rows } = await db.query<SchemaParents & { readonly [column: string]: unknown }>(READ, [
    eventType,
    clientId
  ])
  return rows[0] ?? { hasType: false, hasClient: false }
}
