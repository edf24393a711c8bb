/**
 * The schema registry in PostgreSQL, on connections of the caller's pool.
 *
 * Registering and activating hold the advisory lock of the place (event type, client), so
 * they run one after the other. An activation fails if the active version has changed
 * since it began: another operator was faster, and that decision stays.
 *
 * Errors  StoreError, by `classify`.
 */
import type pg from 'pg'
import { rethrowClassified } from '../../../engine/postgres/fault.js'
import type { Queryable } from '../../../engine/postgres/queryable.js'
import { inTransaction } from '../../../engine/postgres/transaction.js'
import { admitSchema } from '../schemas/admission.js'
import { MAX_SHADOWS } from '../schemas/payload-schemas.js'
import type {
  ActivateOutcome,
  AddOutcome,
  RetireOutcome,
  SchemaRefusal,
  SchemaRegistry,
  SchemaVersion
} from './schema-registry.js'
import { findSameSchema } from './sql/find-same-schema.js'
import { insertSchema } from './sql/insert-schema.js'
import { listSchemas } from './sql/list-schemas.js'
import { lockSchema } from './sql/lock-schema.js'
import { lockSchemaPlace } from './sql/lock-schema-place.js'
import { readActiveSchema } from './sql/read-active-schema.js'
import { readSchema } from './sql/read-schema.js'
import { readSchemaParents } from './sql/read-schema-parents.js'
import { setSchemaState } from './sql/set-schema-state.js'

/**
 * The type json accepts U+0000, but jsonb, which gives the canonical text, does not. No
 * column could hold a text that such a schema allows.
 */
const HOLDS_NUL = /\\u0000/

export function createPostgresSchemaRegistry(pool: pg.Pool): SchemaRegistry {
  return {
    async add(eventType, clientId, text) {
      const admission = admitSchema(text)
      if (admission.kind === 'refused') return admission
      if (HOLDS_NUL.test(text))
        return refuse('the schema holds U+0000 (\\u0000), which PostgreSQL cannot compare')
      return inTransaction(pool, client => add(client, eventType, clientId, text))
    },

    list: (filter = {}) => listSchemas(pool, filter).catch(rethrowClassified),

    show: id => readSchema(pool, id).catch(rethrowClassified),

    async activate(id) {
      const seen = await readSchema(pool, id).catch(rethrowClassified)
      if (seen === null) return { kind: 'not-found' }
      const { text, ...version } = seen
      if (version.state !== 'shadow') return { kind: 'wrong-state', version }
      const { eventType, clientId } = version
      const before = await readActiveSchema(pool, eventType, clientId).catch(rethrowClassified)
      const admission = admitSchema(text)
      if (admission.kind === 'refused') return admission
      return inTransaction(pool, client => activate(client, version, before))
    },

    retire: id => inTransaction(pool, client => retire(client, id))
  }
}

async function add(
  db: Queryable,
  eventType: string,
  clientId: string | null,
  text: string
): Promise<AddOutcome> {
  const { hasType, hasClient } = await readSchemaParents(db, eventType, clientId)
  if (!hasType) return { kind: 'unknown-event-type' }
  if (!hasClient) return { kind: 'unknown-client' }
  await lockSchemaPlace(db, eventType, clientId)
  const same = await findSameSchema(db, eventType, clientId, text)
  if (same !== null) return { kind: 'exists', version: same }
  const shadows = await listSchemas(db, { eventType, clientId, state: 'shadow' })
  if (shadows.length >= MAX_SHADOWS) {
    const versions = shadows.map(({ version }) => `version ${version}`).join(', ')
    return refuse(
      `${shadows.length} versions are in shadow already (${versions}): activate or retire one first`
    )
  }
  return { kind: 'added', version: await insertSchema(db, eventType, clientId, text) }
}

/** `before` was active when the activation began. */
async function activate(
  db: Queryable,
  { id, eventType, clientId }: SchemaVersion,
  before: SchemaVersion | null
): Promise<ActivateOutcome> {
  await lockSchemaPlace(db, eventType, clientId)
  const active = await readActiveSchema(db, eventType, clientId)
  if (active?.id !== before?.id) return { kind: 'overtaken', active }
  const now = await lockSchema(db, id)
  if (now === null) return { kind: 'not-found' }
  if (now.state !== 'shadow') return { kind: 'wrong-state', version: now }
  const retired = active === null ? null : await setSchemaState(db, active.id, 'retired')
  return { kind: 'activated', version: await setSchemaState(db, id, 'active'), retired }
}

async function retire(db: Queryable, id: number): Promise<RetireOutcome> {
  const now = await lockSchema(db, id)
  if (now === null) return { kind: 'not-found' }
  if (now.state === 'retired') return { kind: 'wrong-state', version: now }
  return { kind: 'retired', version: await setSchemaState(db, id, 'retired') }
}

function refuse(message: string): SchemaRefusal {
  return { kind: 'refused', pointer: '', message }
}
