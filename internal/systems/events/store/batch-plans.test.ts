import t from 'tap'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { rejected, valid } from '../../../lab/testing/event-entries.js'
import { insert } from '../../../lab/testing/store-entries.js'
import { until } from '../../../lab/testing/until.js'
import type { EventEntry } from '../event/event.js'
import { createEventStore } from './postgres.js'

const BATCH = 100
// Enough rows to tell a full read from looking up a batch.
const ROWS = 20_000

const { connectionString, pool } = await createTestDatabase(t)
// As after a quiet night: the statistics say that both tables are empty, and stay so.
await pool.query(
  'ALTER TABLE message SET (autovacuum_enabled = off); ALTER TABLE rejection SET (autovacuum_enabled = off)'
)
await pool.query('VACUUM (ANALYZE) message, rejection')

/** Rows of the two tables that ended sessions have read, with or without an index. */
async function rowsRead(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`
    SELECT (SELECT sum(seq_tup_read)::float8 FROM pg_stat_user_tables
            WHERE relname IN ('message', 'rejection'))
         + (SELECT sum(idx_tup_read)::float8 FROM pg_stat_user_indexes
            WHERE relname IN ('message', 'rejection')) AS count`)
  return rows[0]!.count
}

async function untilSessionsEnded(): Promise<void> {
  await until('the sessions of the store have ended', async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE application_name = 'event-process store' AND datname = current_database()`
    )
    return rowCount === 0
  })
}

const ids = (prefix: string): string[] => Array.from({ length: BATCH }, (_, n) => `${prefix}-${n}`)
const valids = (prefix: string): EventEntry[] => ids(prefix).map(messageId => valid({ messageId }))
/** Refused bodies with enough fields to be looked up in `message`. */
const refusals = (prefix: string): EventEntry[] =>
  ids(prefix).map(messageId => {
    const event = { clientId: 'client-1', eventType: 'user-app', messageId, payload: '"hello"' }
    return rejected(
      { reason: 'schema-violation', ...event },
      { queueId: `queue-of-refused-${messageId}` }
    )
  })

t.test('plans made for empty tables read no more than the batch from large ones', async t => {
  const limits = {
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false
  }
  const store = createEventStore({ connectionString, ...limits })
  t.teardown(() => store.close())
  // Plans each statement of a batch: for new events, existing events and rejections.
  const first = [...valids('first'), ...refusals('refused')]
  await insert(store, ...first)
  await insert(store, ...first)
  await pool.query(`
    INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
    SELECT 'client-1', 'user-app', 'other-' || n, '"hello"' FROM generate_series(1, ${ROWS}) n`)
  await pool.query(`
    INSERT INTO rejection (queue_message_id, reason, violations, body, receive_count)
    SELECT 'queue-of-other-' || n, 'not-json', '[]', 'x', 1 FROM generate_series(1, ${ROWS}) n`)
  const before = await rowsRead()
  const later = [...valids('first'), ...valids('later'), ...refusals('later-refused')]
  const dispositions = await insert(store, ...later)
  t.same(
    [
      dispositions.slice(0, BATCH),
      dispositions.slice(BATCH, 2 * BATCH),
      dispositions.slice(2 * BATCH)
    ].map(part => [...new Set(part)]),
    [['duplicate'], ['stored'], ['schema-violation']]
  )
  await store.close()
  await untilSessionsEnded()
  const read = (await rowsRead()) - before
  t.ok(read >= BATCH, `the batch's own rows are counted: ${read}`)
  t.ok(read < ROWS / 2, `the tables are not read from end to end: ${read}`)
})
