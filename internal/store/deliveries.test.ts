import pg from 'pg'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../testing/database.js'
import type { Deliveries, Outcome } from './deliveries.js'
import { installLanes, openPgBossLanes, type PgBossLanes } from './pg-boss-lanes.js'
import { createPostgresDeliveries } from './postgres-deliveries.js'

t.test('fan-out and lanes', async t => {
  const { pool, deliveries, lanes } = await setup(t)
  const id = await addEndpoint(pool)
  await store(pool, 'a', 'b', 'c')
  t.same(await deliveries.fanOut(10), { events: 3, deliveries: 3 })
  t.same(await deliveries.fanOut(10), { events: 0, deliveries: 0 })
  const [lane, ...others] = await lanes.take(10)
  t.equal(lane?.endpointId, id)
  t.equal(others.length, 0)
  const due = await deliveries.due(id, 10, [])
  t.same(
    due.map(d => d.messageId),
    ['a', 'b', 'c']
  )
  await deliveries.settle(due.map(d => outcome(d.id, 1, { state: 'delivered' })))
  t.same(await deliveries.due(id, 10, []), [])
  t.same(await lanes.keep([lane!]), [])
  await lanes.leave(lane!, true)
  t.same(await lanes.keep([lane!]), [lane])
  t.equal((await lanes.take(10)).length, 1)
})

async function setup(t: Test): Promise<{ pool: pg.Pool; deliveries: Deliveries; lanes: PgBossLanes }> {
  const database = await createTestDatabase(t)
  const pool = new pg.Pool({ connectionString: database.connectionString })
  await installLanes(pool)
  const lanes = await openPgBossLanes({ pool, lostAfterS: 30, onError: error => t.fail(error.message) })
  t.teardown(async () => {
    await lanes.close()
    await pool.end()
  })
  return { pool, deliveries: createPostgresDeliveries(pool, lanes.call), lanes }
}
async function addEndpoint(
  pool: pg.Pool,
  values: { client?: string; eventTypes?: string[] | null; isOrdered?: boolean } = {}
): Promise<number> {
  const { client = 'client-1', eventTypes = null, isOrdered = false } = values
  const { rows } = await pool.query<{ id: number }>(
    'INSERT INTO endpoint (fk_client_name, url, event_types, is_ordered) VALUES ($1, $2, $3, $4) RETURNING id',
    [client, 'https://recipient.example/events', eventTypes, isOrdered]
  )
  return rows[0]!.id
}
async function store(pool: Pick<pg.ClientBase, 'query'>, ...ids: string[]): Promise<void> {
  await pool.query(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message) SELECT 'client-1', 'user-app', id, '{"n":1}' FROM unnest($1::text[]) id`,
    [ids]
  )
}
function outcome(deliveryId: string, attempt: number, then: Outcome['then']): Outcome {
  return { deliveryId, attempt, startedAtMs: 1_000, durationMs: 5, status: 200, errorClass: null, response: 'ok', then }
}
