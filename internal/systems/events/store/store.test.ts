import t, { type Test } from 'tap'
import type { Violation } from '../../../engine/message/message.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import {
  EVENT_SAMPLES,
  type EventStoreHarness,
  testEventStore
} from '../../../lab/testing/event-store-conformance.js'
import { createMemoryEventStore } from '../../../lab/testing/memory-event-store.js'
import { type KeptBody, testStore } from '../../../lab/testing/store-conformance.js'
import type { ValidEvent } from '../event/event.js'
import { createEventStore } from './postgres.js'
import { type RejectionRow, toRejectionRow } from './rejection-row.js'

const { connectionString, pool } = await createTestDatabase(t)

for (const [adapter, createHarness] of [
  ['memory', createMemoryHarness],
  ['postgres', createPostgresHarness]
] as const) {
  await testStore(t, `events in ${adapter}`, EVENT_SAMPLES, async t => {
    const { store, messages, rejections } = await createHarness(t)
    return { store, items: messages, rejections: async () => (await rejections()).map(asKept) }
  })
  await testEventStore(t, `events in ${adapter}`, createHarness)
}

function asKept(row: RejectionRow): KeptBody {
  const { queueMessageId, reason, violations, receiveCount, bodyEncoding, body } = row
  const sent = bodyEncoding === 'plain' ? body : (JSON.parse(body) as string)
  return { queueMessageId, reason, violations, body: sent, receiveCount }
}

async function createMemoryHarness(): Promise<EventStoreHarness> {
  const store = createMemoryEventStore({
    clients: ['client-1', 'client-2'],
    eventTypes: ['user-app', 'monitor-app']
  })
  const { parents, rows } = store
  return {
    store,
    addClient: async name => {
      parents.clients.add(name)
    },
    addEventType: async name => {
      parents.eventTypes.add(name)
    },
    disable: async (what, name, isDisabled) => {
      const disabled = what === 'client' ? parents.disabledClients : parents.disabledEventTypes
      if (isDisabled) disabled.add(name)
      else disabled.delete(name)
    },
    messages: async () => Array.from(rows.items.values(), ({ item }) => item),
    rejections: async () =>
      Array.from(rows.rejections.values(), ({ message, rejection }) =>
        toRejectionRow(message, rejection)
      )
  }
}

async function createPostgresHarness(t: Test): Promise<EventStoreHarness> {
  await pool.query('TRUNCATE message, rejection')
  const store = createEventStore({
    connectionString,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false
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
    `SELECT fk_client_name AS "clientId", fk_event_type_name AS "eventType",
            message_id AS "messageId", message::text AS payload, event_schema_id AS "schemaId"
     FROM message`
  )
  return rows
}

async function readRejections(): Promise<readonly RejectionRow[]> {
  const { rows } = await pool.query<RejectionRow & { violations: Violation[] }>(
    `SELECT queue_message_id AS "queueMessageId", origin_queue_message_id AS "originQueueMessageId",
            client_name AS "clientName", event_type_name AS "eventTypeName", message_id AS "messageId",
            reason, violations, body, body_encoding AS "bodyEncoding", receive_count AS "receiveCount",
            (extract(epoch FROM sent_at) * 1000)::float8 AS "sentAtMs"
     FROM rejection`
  )
  return rows
}
