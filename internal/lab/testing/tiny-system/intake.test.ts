import t from 'tap'
import { admitAll } from '../../../engine/intake/admission.js'
import { Intake } from '../../../engine/intake/intake.js'
import { oneLine } from '../../../engine/intake/turns.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { createTestDatabase } from '../database.js'
import { createMemoryQueue } from '../memory-queue.js'
import { NO_SUSPECTS } from '../no-suspects.js'
import { SILENT_INTAKE, SILENT_JOURNAL } from '../silent-intake.js'
import { until } from '../until.js'
import { decodeReading, formatReading, type Reading, refuseReading } from './reading.js'
import { CREATE_READING_TABLES, createReadingStore } from './reading-store.js'

const READINGS = 100

t.test('readings go from the queue into their tables, and none leaves it before', async t => {
  const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
  await pool.query(CREATE_READING_TABLES)
  const keys = new Map<string, string>()
  let deletes = 0
  const queue = createMemoryQueue({
    clock,
    visibilityTimeoutS: 60,
    async onAck(receipts) {
      const ids = receipts.map(({ id }) => id)
      const { rows } = await pool.query<{ count: number }>(
        `SELECT count(*)::int FROM unnest($1::text[], $2::text[]) AS t (message, reading)
         WHERE EXISTS (SELECT FROM tiny.reading r WHERE r.id = t.reading)
            OR EXISTS (SELECT FROM tiny.rejection r WHERE r.queue_message_id = t.message)`,
        [ids, ids.map(id => keys.get(id) ?? '')]
      )
      t.equal(rows[0]?.count, ids.length, 'each has its row')
      deletes += ids.length
    }
  })
  const store = createReadingStore({
    connectionString,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false
  })
  const intake = new Intake<Reading>({
    queue,
    decode(message) {
      const verdict = decodeReading(message)
      if (verdict.kind === 'valid') keys.set(message.id, verdict.item.id)
      return verdict
    },
    admission: admitAll,
    turns: oneLine,
    store,
    refuse: refuseReading,
    clock,
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
  const bodyOf = (n: number): string => {
    if (n % 10 === 3) return 'no reading'
    // One in ten is more than the column holds, one gives another value to an id.
    if (n % 10 === 7) return formatReading({ meter: 'kitchen', id: `${n}`, value: 2 ** 31 })
    return formatReading({ meter: 'kitchen', id: n % 10 === 9 ? `${n - 1}` : `${n}`, value: n % 2 })
  }
  for (let n = 0; n < READINGS; n += 10)
    await queue.send(Array.from({ length: 10 }, (_, index) => ({ body: bodyOf(n + index) })))
  await until('all are settled', () => queue.messages().length === 0, 60_000)
  t.equal(deletes, READINGS)
  const { rows } = await pool.query<{ reason: string; count: number }>(
    `SELECT 'stored' AS reason, count(*)::int FROM tiny.reading
     UNION ALL SELECT reason, count(*)::int FROM tiny.rejection GROUP BY reason ORDER BY reason`
  )
  t.same(rows, [
    { reason: 'conflict', count: READINGS / 10 },
    { reason: 'malformed', count: READINGS / 10 },
    { reason: 'stored', count: (READINGS / 10) * 7 },
    { reason: 'unstorable', count: READINGS / 10 }
  ])
})
