/**
 * The endpoints of a chaos run: for each client one that takes all its events, plus one
 * for a single event type and one ordered endpoint.
 */

import { createPostgresPool } from '../../engine/postgres/pool.js'
import { SECRET_FIELD } from '../../systems/events/delivery/endpoint.js'
import { parseKeyRing } from '../../systems/events/delivery/sealed.js'
import { newSecret } from '../../systems/events/delivery/secret.js'
import { createPostgresEndpoints } from '../../systems/events/delivery/store/postgres-endpoints.js'
import { RECORDS_POOL } from '../../systems/events/store/pool-uses.js'
import { ENDPOINT_TIMEOUT_MS } from './settings.js'

interface PlannedEndpoint {
  readonly path: string
  readonly client: string
  readonly eventTypes: readonly string[] | null
  readonly isOrdered: boolean
}

const all = (client: string): PlannedEndpoint => ({
  path: `/${client}`,
  client,
  eventTypes: null,
  isOrdered: false
})
const ENDPOINTS: readonly PlannedEndpoint[] = [
  all('client-1'),
  all('client-2'),
  all('client-3'),
  { ...all('client-1'), path: '/client-1/user-app', eventTypes: ['user-app'] },
  { ...all('client-2'), path: '/client-2/ordered', isOrdered: true }
]
const QUERY_MS = 10_000

/** Registers them at `origin`; their secrets by path. */
export async function registerEndpoints(
  connectionString: string,
  secretKeys: string,
  origin: string
): Promise<Readonly<Record<string, string>>> {
  const keys = parseKeyRing(secretKeys)
  const limits = {
    connectionString,
    statementTimeoutMs: QUERY_MS,
    lockTimeoutMs: QUERY_MS,
    queryDeadlineMs: QUERY_MS
  }
  const pool = createPostgresPool(limits, RECORDS_POOL)
  const secrets: Record<string, string> = {}
  try {
    const endpoints = createPostgresEndpoints(pool)
    for (const { path, ...planned } of ENDPOINTS) {
      const secret = newSecret()
      secrets[path] = secret
      const limits = { maxConcurrency: null, maxPerSecond: null, timeoutMs: ENDPOINT_TIMEOUT_MS }
      const outcome = await endpoints.add(
        { ...planned, ...limits, url: `${origin}${path}` },
        (id, clientId) => ({
          secret: keys.seal(secret, { clientId, endpointId: String(id), field: SECRET_FIELD }),
          headers: null
        })
      )
      if (outcome.kind !== 'added')
        throw new Error(`endpoint ${path} was not added: ${outcome.kind}`)
    }
  } finally {
    await pool.end()
  }
  return secrets
}
