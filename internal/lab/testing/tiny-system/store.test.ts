import t, { type Test } from 'tap'
import { createTestDatabase } from '../database.js'
import {
  type KeptBody,
  type StoreHarness,
  type StoreSamples,
  testStore
} from '../store-conformance.js'
import { createMemoryReadingStore, MALFORMED, type Reading } from './reading.js'
import { CREATE_READING_TABLES, createReadingStore } from './reading-store.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
await pool.query(CREATE_READING_TABLES)

const SAMPLES: StoreSamples<Reading> = {
  item: (n, variant = 0, owner = 0) => ({
    meter: `meter "${owner}"`,
    id: `é ${n}`,
    value: variant
  }),
  rejection: MALFORMED,
  rejectionOf: null,
  unstorable: {
    'a meter with NUL': { meter: 'a\0', id: '1', value: 1 },
    'a value beyond int4': { meter: 'a', id: '1', value: 2 ** 31 }
  }
}

await testStore(t, 'readings in memory', SAMPLES, async () => {
  const store = createMemoryReadingStore()
  return {
    store,
    items: async () => Array.from(store.rows.items.values(), ({ item }) => item),
    rejections: async () =>
      Array.from(store.rows.rejections.values(), ({ message, rejection }) => ({
        ...rejection,
        queueMessageId: message.id,
        body: message.body,
        receiveCount: message.receiveCount
      }))
  }
})

await testStore(t, 'readings in PostgreSQL', SAMPLES, createPostgresHarness)

async function createPostgresHarness(t: Test): Promise<StoreHarness<Reading>> {
  await pool.query('TRUNCATE tiny.reading, tiny.rejection')
  const store = createReadingStore({
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
    items: async () =>
      (await pool.query<Reading>('SELECT meter, id, value FROM tiny.reading')).rows,
    rejections: async () => {
      const { rows } = await pool.query<KeptBody>(
        `SELECT queue_message_id AS "queueMessageId", reason, violations, body,
                receive_count AS "receiveCount" FROM tiny.rejection`
      )
      return rows.map(row => ({ ...row, body: JSON.parse(row.body) as string }))
    }
  }
}
