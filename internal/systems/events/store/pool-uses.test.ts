import t from 'tap'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { RECORDS_POOL, SENDER_POOL } from './pool-uses.js'

const { connectionString } = await createTestDatabase(t)
const limits = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000, queryDeadlineMs: 15_000 }

t.test('a stalled sender loses its transaction sooner than a claim of records', async t => {
  const rows = [
    { use: SENDER_POOL, want: '10s' },
    { use: RECORDS_POOL, want: '2min' }
  ] as const
  for (const { use, want } of rows) {
    const pool = createPostgresPool({ connectionString, ...limits }, use)
    t.teardown(() => pool.end())
    t.same(
      (await pool.query('SHOW idle_in_transaction_session_timeout')).rows,
      [{ idle_in_transaction_session_timeout: want }],
      use.applicationName
    )
  }
})
