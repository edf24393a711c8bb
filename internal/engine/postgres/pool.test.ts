import t from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { createPostgresPool } from './pool.js'

const { connectionString } = await createTestDatabase(t)
const limits = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000, queryDeadlineMs: 15_000 }

t.test(
  'the server ends a transaction in which the sender stands still before others miss what it holds; a claim of records may wait',
  async t => {
    const rows = [
      { application: 'sender', want: '10s' },
      { application: 'records', want: '2min' }
    ] as const
    for (const { application, want } of rows) {
      const pool = createPostgresPool({ connectionString, ...limits, application })
      t.teardown(() => pool.end())
      t.same(
        (await pool.query('SHOW idle_in_transaction_session_timeout')).rows,
        [{ idle_in_transaction_session_timeout: want }],
        application
      )
    }
  }
)
