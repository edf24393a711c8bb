import t, { type Test } from 'tap'
import type { ValidEvent, Violation } from '../../../engine/message/message.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { createMemoryStore } from '../../../lab/testing/memory-store.js'
import { type StoreHarness, testStore } from '../../../lab/testing/store-conformance.js'
import { createPostgresStore } from './postgres.js'
import type { RejectionRow } from './rejection-row.js'

const { connectionString, pool } = await createTestDatabase(t)

await testStore(t, 'memory', async () => {
  const store = createMemoryStore({
    clients: ['client-1', 'client-2'],
    eventTypes: ['user-app', 'monitor-app']
  })
  return {
    store,
    addClient: async name => {
      store.clients.add(name)
    },
    addEventType: async name => {
      store.eventTypes.add(name)
    },
    disable: async (what, name, isDisabled) => {
      const disabled = what === 'client' ? store.disabledClients : store.disabledEventTypes
      if (isDisabled) disabled.add(name)
      else disabled.delete(name)
    },
    messages: async () => [...store.messages],
    rejections: async () => [...store.rejections]
  }
})

await testStore(t, 'postgres', createPostgresHarness)

async function createPostgresHarness(t: Test): Promise<StoreHarness> {
  await pool.query('TRUNCATE message, rejection')
  const store = createPostgresStore({
    connectionString,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000
  })
  t.teardown(() => store.close())
  return {
    store,
    addClient: async name => {
      await pool.query('INSERT INTO client VALUES ($1)', [name])
    },
    addEventType: async name => {
      await pool.query('INSERT INTO event_type VALUES ($1)', [name])
    },
    disable: async (what, name, isDisabled) => {
      const table = what === 'client' ? 'client' : 'event_type'
      await pool.query(
        `UPDATE ${table} SET disabled_at = CASE WHEN $2 THEN now() END WHERE name = $1`,
        [name, isDisabled]
      )
    },
    messages: readMessages,
    rejections: readRejections
  }
}

async function readMessages(): Promise<readonly ValidEvent[]> {
  const { rows } = await pool.query<ValidEvent>(
    `SELECT fk_client_name AS "clientId", fk_event_type_name AS "eventType", message_id AS "messageId", message::text AS payload,
            event_schema_id AS "schemaId" FROM message`
  )
  return rows
}

async function readRejections(): Promise<readonly RejectionRow[]> {
  const { rows } = await pool.query<RejectionRow & { violations: Violation[] }>(
    `SELECT queue_message_id AS "queueMessageId", origin_queue_message_id AS "originQueueMessageId", client_name AS "clientName", event_type_name AS "eventTypeName", message_id AS "messageId",
            reason, violations, body, body_encoding AS "bodyEncoding", receive_count AS "receiveCount",
            (extract(epoch FROM sent_at) * 1000)::float8 AS "sentAtMs"
     FROM rejection`
  )
  return rows
}
