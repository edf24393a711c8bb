import type { QueryResultRow } from 'pg'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'

// Returns the event types that do not exist, in the order given.
const READ_PARENTS = `
SELECT EXISTS (SELECT FROM client WHERE name = $1) AS "hasClient",
       ARRAY(
         SELECT t FROM unnest($2::text[]) WITH ORDINALITY AS u (t, n)
         WHERE NOT EXISTS (SELECT FROM event_type WHERE name = t) ORDER BY n
       ) AS "unknownTypes"`

export interface EndpointParents extends QueryResultRow {
  readonly hasClient: boolean
  readonly unknownTypes: readonly string[]
}

/** The client and event types that an endpoint needs. */
export async function readEndpointParents(
  db: Queryable,
  client: string,
  eventTypes: readonly string[]
): Promise<EndpointParents> {
  const { rows } = await db.query<EndpointParents>(READ_PARENTS, [client, eventTypes])
  return rows[0] ?? { hasClient: false, unknownTypes: [] }
}
