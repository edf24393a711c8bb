/** Endpoints in PostgreSQL, on connections of the caller's pool. */
import type pg from 'pg'
import { rethrowClassified } from '../../../../engine/postgres/fault.js'
import { inTransaction } from '../../../../engine/postgres/transaction.js'
import {
  type AddEndpointOutcome,
  type Endpoints,
  MAX_SECRETS_BEFORE,
  type NewEndpoint,
  type RotatedSecret,
  type SealFor
} from './endpoints.js'
import { deleteExpiredSecrets } from './sql/delete-expired-secrets.js'
import { deleteSecrets } from './sql/delete-secrets.js'
import { disableEndpoint } from './sql/disable-endpoint.js'
import { enableEndpoint } from './sql/enable-endpoint.js'
import { expireSecrets } from './sql/expire-secrets.js'
import { hasEndpoint } from './sql/has-endpoint.js'
import { insertEndpoint } from './sql/insert-endpoint.js'
import { insertSecret } from './sql/insert-secret.js'
import { listEndpoints } from './sql/list-endpoints.js'
import { lockEndpoint } from './sql/lock-endpoint.js'
import { readEndpointParents } from './sql/read-endpoint-parents.js'
import { readSealedByOthers } from './sql/read-sealed-by-others.js'
import { readSealedEndpoint } from './sql/read-sealed-endpoint.js'
import { resealValue } from './sql/reseal-value.js'
import { setEndpointHeaders } from './sql/set-endpoint-headers.js'

const ALL = { client: null, state: null } as const

export function createPostgresEndpoints(pool: pg.Pool): Endpoints {
  const changed = async (
    id: number,
    isChanged: Promise<boolean>
  ): Promise<'changed' | 'unchanged' | 'missing'> => {
    if (await isChanged.catch(rethrowClassified)) return 'changed'
    return (await hasEndpoint(pool, id).catch(rethrowClassified)) ? 'unchanged' : 'missing'
  }
  return {
    add: (endpoint, seal) => inTransaction(pool, client => add(client, endpoint, seal)),
    list: filter => listEndpoints(pool, null, filter).catch(rethrowClassified),
    async find(id) {
      return (await listEndpoints(pool, id, ALL).catch(rethrowClassified))[0] ?? null
    },
    findSealed: id => readSealedEndpoint(pool, id).catch(rethrowClassified),
    enable: id => changed(id, enableEndpoint(pool, id)),
    disable: (id, reason) => changed(id, disableEndpoint(pool, id, reason)),
    rotateSecret: (id, seal, graceMs) =>
      inTransaction(pool, client => rotateSecret(client, id, seal, graceMs)),
    sealedByOthers: keyId => readSealedByOthers(pool, keyId).catch(rethrowClassified),
    reseal: (value, sealed) => resealValue(pool, value, sealed).catch(rethrowClassified)
  }
}

async function add(
  client: pg.ClientBase,
  endpoint: NewEndpoint,
  seal: SealFor
): Promise<AddEndpointOutcome> {
  const { hasClient, unknownTypes } = await readEndpointParents(
    client,
    endpoint.client,
    endpoint.eventTypes ?? []
  )
  if (!hasClient) return { kind: 'unknown-client' }
  const [eventType] = unknownTypes
  if (eventType !== undefined) return { kind: 'unknown-event-type', eventType }
  const id = await insertEndpoint(client, endpoint)
  const { secret, headers } = seal(id, endpoint.client)
  await insertSecret(client, id, secret)
  if (headers !== null) await setEndpointHeaders(client, id, headers)
  return { kind: 'added', id }
}

/**
 * Replaces the secret while holding the endpoint's row, so that concurrent rotations take
 * turns.
 */
async function rotateSecret(
  client: pg.ClientBase,
  id: number,
  seal: SealFor,
  graceMs: number
): Promise<RotatedSecret | null> {
  const owner = await lockEndpoint(client, id)
  if (owner === null) return null
  await deleteExpiredSecrets(client, id)
  const newestId = await insertSecret(client, id, seal(id, owner).secret)
  const before = await expireSecrets(client, id, newestId, graceMs)
  const kept = graceMs === 0 ? [] : before.slice(0, MAX_SECRETS_BEFORE)
  const ended = before.slice(kept.length)
  await deleteSecrets(
    client,
    id,
    ended.map(secret => secret.id)
  )
  return {
    client: owner,
    before: kept.map(({ expiresAt }) => expiresAt),
    ended: ended.length
  }
}
