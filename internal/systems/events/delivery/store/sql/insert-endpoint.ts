import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { NewEndpoint } from '../endpoints.js'

const INSERT = `
INSERT INTO endpoint (fk_client_name, url, event_types, is_ordered, max_concurrency, max_per_s, timeout_ms)
VALUES ($1, $2, $3, $4, coalesce($5, 10), $6, coalesce($7, 15000)) RETURNING id`

/** The endpoint's number. */
export async function insertEndpoint(db: Queryable, endpoint: NewEndpoint): Promise<number> {
  const { rows } = await db.query<{ id: number }>(INSERT, [
    endpoint.client,
    endpoint.url,
    endpoint.eventTypes,
    endpoint.isOrdered,
    endpoint.maxConcurrency,
    endpoint.maxPerSecond,
    endpoint.timeoutMs
  ])
  const [row] = rows
  if (row === undefined) throw new Error('the endpoint was inserted without a number')
  return row.id
}
