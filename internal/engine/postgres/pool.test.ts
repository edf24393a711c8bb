import t from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { createPostgresPool } from './pool.js'

const { connectionString } = await createTestDatabase(t)
const limits = {
  connectionString,
  statementTimeoutMs: 1_000,
  lockTimeoutMs: 2_000,
  queryDeadlineMs: 15_000
}

t.test('each session has its name and the limits that the server enforces', async t => {
  const pool = createPostgresPool(limits, {
    applicationName: 'a test of pools',
    connections: 1,
    idleInTransactionMs: 3_000
  })
  t.teardown(() => pool.end())
  const { rows } = await pool.query(
    `SELECT name, setting FROM pg_settings WHERE name IN
     ('application_name', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')
     ORDER BY name`
  )
  t.same(rows, [
    { name: 'application_name', setting: 'a test of pools' },
    { name: 'idle_in_transaction_session_timeout', setting: '3000' },
    { name: 'lock_timeout', setting: '2000' },
    { name: 'statement_timeout', setting: '1000' }
  ])
})

t.test('a broken connection fails its query, and the next one gets another', async t => {
  const pool = createPostgresPool(limits, {
    applicationName: 'a test of pools',
    connections: 1,
    idleInTransactionMs: 3_000
  })
  t.teardown(() => pool.end())
  await t.rejects(pool.query('SELECT pg_terminate_backend(pg_backend_pid())'))
  t.same((await pool.query('SELECT 1 AS one')).rows, [{ one: 1 }])
})
