import t from 'tap'
import { Intake } from '../../../engine/intake/intake.js'
import { systemClock } from '../../../engine/lifecycle/clock.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { EQUAL_CLIENTS } from '../../../lab/testing/equal-clients.js'
import { createMemoryQueue } from '../../../lab/testing/memory-queue.js'
import { NO_SUSPECTS } from '../../../lab/testing/no-suspects.js'
import { SILENT_INTAKE, SILENT_JOURNAL } from '../../../lab/testing/silent-intake.js'
import { until } from '../../../lab/testing/until.js'
import { createDecoder } from '../event/decode.js'
import { createEventStore } from '../store/postgres.js'

t.test('before each delete another session already sees the message’s row', async t => {
  const { connectionString, pool } = await createTestDatabase(t)
  let deletes = 0
  const queue = createMemoryQueue({
    clock: systemClock,
    visibilityTimeoutS: 60,
    async onAck(receipts) {
      const ids = receipts.map(receipt => receipt.id)
      const { rows } = await pool.query<{ id: string }>(
        `SELECT message_id AS id FROM message WHERE message_id = ANY ($1) UNION ALL
         SELECT queue_message_id FROM rejection WHERE queue_message_id = ANY ($1)`,
        [ids]
      )
      t.same(rows.map(row => row.id).toSorted(), ids.toSorted())
      deletes += ids.length
    }
  })
  const store = createEventStore({
    connectionString,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false
  })
  const intake = new Intake({
    ...EQUAL_CLIENTS,
    queue,
    store,
    decode: createDecoder({ payloadSchemas: { find: () => null } }),
    clock: systemClock,
    random: Math.random,
    limits: {
      batch: { maxMessages: 50, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 100 },
      maxInFlightMessages: 200,
      maxInFlightBytes: 10_000_000,
      settleConcurrency: 4,
      settleLingerMs: 5
    },
    journal: SILENT_JOURNAL,
    suspectRecord: NO_SUSPECTS,
    observer: SILENT_INTAKE
  })
  t.teardown(async () => {
    await intake.stop(5_000)
    await store.close()
  })
  // Without event_id the row has the queue message's id, so its receipt identifies the
  // row.
  const good = { event_type: 'user-app', client_id: 'client-1', message: 'hello' }
  for (let send = 0; send < 60; send++) {
    await queue.send(
      Array.from({ length: 10 }, (_, index) => {
        if (index === 3) return { body: 'not json' }
        return { body: JSON.stringify(index === 7 ? { ...good, client_id: 'nobody' } : good) }
      })
    )
  }
  await until('all are settled', () => queue.messages().length === 0)
  t.equal(deletes, 600)
})
