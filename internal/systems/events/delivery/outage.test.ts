import pg from 'pg'
import t, { type Test } from 'tap'
import { createPostgresData } from '../../../lab/testing/postgres-data.js'
import { startStubHttp } from '../../../lab/testing/stub-http.js'
import { startTestPostgres } from '../../../lab/testing/test-postgres.js'
import { until } from '../../../lab/testing/until.js'
import { createWholeSender, type WholeSender } from '../../../lab/testing/whole-sender.js'
import { LANES_SCHEMA } from './store/endpoint-lanes.js'

const dataDir = await createPostgresData(t)
let server = await startTestPostgres({ dataDir, port: 0 })
t.teardown(() => server.stop())
const { port, connectionString } = server
const restart = async (): Promise<void> => {
  server = await startTestPostgres({ dataDir, port })
}

async function open(t: Test): Promise<{ whole: WholeSender; faults: string[] }> {
  const faults: string[] = []
  const whole = await createWholeSender(t, {
    connectionString,
    onFault: message => faults.push(message)
  })
  return { whole, faults }
}

/**
 * How many deliveries of the endpoint are in this state; 0 while the database is away.
 */
async function count(whole: WholeSender, endpointId: number, state = 'delivered'): Promise<number> {
  const { rows } = await whole.pool
    .query<{ n: number }>(
      'SELECT count(*)::int AS n FROM delivery WHERE endpoint_id = $1 AND state = $2',
      [endpointId, state]
    )
    .catch(() => ({ rows: [] }))
  return rows[0]?.n ?? 0
}

t.test('the server ends sessions again and again: the sender continues, all arrives', async t => {
  const { whole, faults } = await open(t)
  const recipient = await startStubHttp(t, reply => reply.end())
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { maxConcurrency: 2 })
  const ids = Array.from({ length: 300 }, (_, n) => `e${n}`)
  await client.store(...ids)
  whole.start()
  const admin = new pg.Client({ connectionString })
  await admin.connect()
  t.teardown(() => admin.end())
  for (let ends = 1; ends <= 5; ends++) {
    await until('some more arrive', () => recipient.requests.length >= ends * 20)
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`
    )
  }
  await until(
    'all are delivered',
    async () => (await count(whole, endpoint.id)) === ids.length,
    30_000
  )
  t.ok(faults.length > 0, 'it was reported')
  t.equal(
    new Set(recipient.requests.map(({ body }) => (JSON.parse(body) as { id: string }).id)).size,
    ids.length
  )
})

t.test('outcomes of attempts are recorded when a lost database is back', async t => {
  const { whole, faults } = await open(t)
  const waiting: (() => void)[] = []
  const recipient = await startStubHttp(t, reply => void waiting.push(() => reply.end()))
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, {
    maxConcurrency: 5,
    timeoutMs: 60_000
  })
  await client.store('a', 'b', 'c', 'd', 'e')
  whole.start()
  await until('all are under way', () => waiting.length === 5)
  await server.stop()
  for (const answer of waiting) answer()
  await until('the outage is noticed', () => faults.some(fault => fault.startsWith('record:')))
  await restart()
  await until('all are recorded', async () => (await count(whole, endpoint.id)) === 5)
  t.equal(recipient.requests.length, 5, 'none was sent again')
})

t.test('without a database a sender stops in time; the next resends what it left open', async t => {
  const { whole } = await open(t)
  const waiting: (() => void)[] = []
  let isHeld = true
  const recipient = await startStubHttp(t, reply => {
    if (isHeld) waiting.push(() => reply.end())
    else reply.end()
  })
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { timeoutMs: 60_000 })
  await client.store('a', 'b')
  const sender = whole.start()
  await until('both are under way', () => waiting.length === 2)
  await server.stop()
  for (const answer of waiting) answer()
  isHeld = false
  let isCutOff = false
  let isStopped = false
  const stopped = sender.stop(300, () => (isCutOff = true)).then(() => (isStopped = true))
  await until('it has stopped, soon after its time', () => isStopped, 2_500)
  await stopped
  t.ok(isCutOff)
  await restart()
  whole.start()
  await whole.pool.query(`DELETE FROM ${LANES_SCHEMA}.job`)
  await until('both are delivered', async () => (await count(whole, endpoint.id)) === 2)
  t.equal(recipient.requests.length, 4)
  t.equal(new Set(recipient.requests.map(({ headers }) => headers['webhook-id'])).size, 2)
})
