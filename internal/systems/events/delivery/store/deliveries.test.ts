import type pg from 'pg'
import t from 'tap'
import type { DutyFate, DutyOutcome } from '../../../../engine/dispatch/dispatch.js'
import type { PostResult } from '../../../../engine/egress/result.js'
import { until } from '../../../../lab/testing/until.js'
import { createWholeSender, type TestClient } from '../../../../lab/testing/whole-sender.js'
import { LANES_SCHEMA } from './endpoint-lanes.js'

const whole = await createWholeSender(t)
const { pool, deliveries, lanes } = whole
const URL = 'https://recipient.example/events'

t.afterEach(async () => {
  await pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE state = 'enabled'`
  )
  await pool.query(`DELETE FROM delivery WHERE state = 'pending'`)
  await pool.query(`DELETE FROM ${LANES_SCHEMA}.job`)
})

/** Stores events and makes their deliveries; returns the deliveries' ids. */
async function owe(
  client: TestClient,
  endpointId: number,
  ...messageIds: readonly string[]
): Promise<readonly string[]> {
  await client.store(...messageIds)
  const idsOf = async () => (await deliveries.due(endpointId, 1_000, [])).map(({ id }) => id)
  await until('the deliveries are made', async () => {
    await deliveries.fanOut(100)
    return (await idsOf()).length >= messageIds.length
  })
  return idsOf()
}

const answered = (status: number, responseHead = ''): PostResult => ({
  kind: 'answered',
  status,
  responseHead,
  ms: 5.4
})

const outcome = (
  dutyId: string,
  attempt: number,
  fate: DutyFate,
  result = answered(200, 'ok')
): DutyOutcome<PostResult> => ({
  dutyId,
  attempt,
  startedAtMs: 1_767_323_045_678,
  result,
  fate
})

const rowOf = async (id: string): Promise<unknown> =>
  (
    await pool.query(
      `SELECT state, dead_reason, attempts, next_attempt_at IS NULL AS "isOver",
        finished_at IS NOT NULL AS "isFinished" FROM delivery WHERE id = $1`,
      [id]
    )
  ).rows[0]
const attemptsOf = async (id: string): Promise<readonly unknown[]> =>
  (
    await pool.query<Record<string, unknown>>(
      `SELECT attempt, started_at, duration_ms, status, error_class, response FROM delivery_attempt
        WHERE delivery_id = $1 ORDER BY attempt`,
      [id]
    )
  ).rows

t.test('an attempt is recorded with all its facts, and moves its delivery on', async t => {
  const client = await whole.addClient()
  const { id: endpointId } = await client.addEndpoint(URL)
  const [done = '', later = '', over = ''] = await owe(client, endpointId, 'a', 'b', 'c')
  await deliveries.settle([
    outcome(done, 1, { kind: 'done' }),
    outcome(
      later,
      1,
      { kind: 'retry', inMs: 60_000 },
      { kind: 'failed', errorClass: 'reset', detail: 'ECONNRESET', ms: 5.4 }
    ),
    outcome(over, 1, { kind: 'given-up' }, answered(500))
  ])
  t.same(await rowOf(done), {
    state: 'delivered',
    dead_reason: null,
    attempts: 1,
    isOver: true,
    isFinished: true
  })
  t.same(await rowOf(later), {
    state: 'pending',
    dead_reason: null,
    attempts: 1,
    isOver: false,
    isFinished: false
  })
  t.same(await rowOf(over), {
    state: 'dead',
    dead_reason: 'schedule-ended',
    attempts: 1,
    isOver: true,
    isFinished: true
  })
  const startedAt = new Date('2026-01-02T03:04:05.678Z')
  t.same(await attemptsOf(done), [
    {
      attempt: 1,
      started_at: startedAt,
      duration_ms: 5,
      status: 200,
      error_class: null,
      response: 'ok'
    }
  ])
  t.match(await attemptsOf(later), [{ status: null, error_class: 'reset', response: 'ECONNRESET' }])
  t.match(await attemptsOf(over), [{ status: 500, error_class: null, response: '' }])
  t.same(await deliveries.due(endpointId, 10, []), [], 'the one that waits is not due')
})

t.test('an outcome that comes twice, too late or out of turn changes nothing', async t => {
  const client = await whole.addClient()
  const { id: endpointId } = await client.addEndpoint(URL)
  const [first = '', second = ''] = await owe(client, endpointId, 'a', 'b')
  await deliveries.settle([outcome(first, 1, { kind: 'done' })])
  await deliveries.settle([outcome(first, 1, { kind: 'retry', inMs: 0 }, answered(500))])
  await deliveries.settle([outcome(first, 2, { kind: 'given-up' }, answered(500))])
  t.match(await rowOf(first), { state: 'delivered', attempts: 1 })
  t.match(
    await attemptsOf(first),
    [{ status: 200 }, { attempt: 2, status: 500 }],
    'the attempts are reported'
  )
  await deliveries.settle([outcome(second, 1, { kind: 'retry', inMs: 0 }, answered(500))])
  await deliveries.settle([outcome(second, 1, { kind: 'done' })])
  t.match(await rowOf(second), { state: 'pending', attempts: 1 }, 'the first outcome counts')
  await deliveries.settle([outcome(second, 3, { kind: 'done' })])
  t.match(
    await rowOf(second),
    { state: 'pending', attempts: 1 },
    'an attempt that skips one is ignored'
  )
})

t.test('two processes that record the same deliveries at once do not deadlock', async t => {
  const client = await whole.addClient()
  const { id: endpointId } = await client.addEndpoint(URL)
  const ids = await owe(client, endpointId, ...Array.from({ length: 100 }, (_, n) => `e${n}`))
  for (let attempt = 1; attempt <= 5; attempt++) {
    const outcomes = ids.map(id => outcome(id, attempt, { kind: 'retry', inMs: 0 }))
    await Promise.all([
      deliveries.settle(outcomes),
      deliveries.settle(outcomes.toReversed()),
      deliveries.settle(outcomes)
    ])
  }
  const { rows } = await pool.query(
    'SELECT DISTINCT attempts FROM delivery WHERE endpoint_id = $1',
    [endpointId]
  )
  t.same(rows, [{ attempts: 5 }])
})

t.test('deliveries come in the order they fell due, without those being attempted', async t => {
  const client = await whole.addClient()
  const { id: endpointId } = await client.addEndpoint(URL)
  const ids = await owe(client, endpointId, 'a', 'b', 'c', 'd')
  const at = (id: string | undefined, expression: string): Promise<pg.QueryResult> =>
    pool.query(`UPDATE delivery SET next_attempt_at = now() + $2::interval WHERE id = $1`, [
      id,
      expression
    ])
  await at(ids[0], '1 hour')
  await at(ids[3], '-1 hour')
  const due = async (limit: number, except: readonly string[]) =>
    (await deliveries.due(endpointId, limit, except)).map(d => d.messageId)
  t.same(await due(10, []), ['d', 'b', 'c'])
  t.same(await due(2, []), ['d', 'b'])
  t.same(await due(2, [ids[3]!]), ['b', 'c'])
  t.same(await due(10, [...ids]), [])
})

t.test('a redriven delivery starts a new schedule and keeps counting its attempts', async t => {
  const client = await whole.addClient()
  const { id: endpointId } = await client.addEndpoint(URL)
  const [id = ''] = await owe(client, endpointId, 'a')
  await deliveries.settle([outcome(id, 1, { kind: 'retry', inMs: 0 })])
  await deliveries.settle([outcome(id, 2, { kind: 'given-up' })])
  await pool.query(
    `UPDATE delivery SET state = 'pending', next_attempt_at = now(), dead_reason = NULL, finished_at = NULL,
        schedule_began_after = attempts
     WHERE id = $1`,
    [id]
  )
  t.match(await deliveries.due(endpointId, 1, []), [{ attempts: 2, scheduled: 0 }])
  await deliveries.settle([outcome(id, 3, { kind: 'retry', inMs: 0 })])
  t.match(await deliveries.due(endpointId, 1, []), [{ attempts: 3, scheduled: 1 }])
})

t.test('only lanes of enabled, unpaused endpoints with something due are woken', async t => {
  const client = await whole.addClient()
  const add = async (): Promise<number> => (await client.addEndpoint(URL)).id
  const [due, later, nothing, paused, disabled] = [
    await add(),
    await add(),
    await add(),
    await add(),
    await add()
  ]
  await owe(client, due, 'a')
  await pool.query('DELETE FROM delivery WHERE endpoint_id = $1', [nothing])
  await pool.query(
    `UPDATE delivery SET next_attempt_at = now() + interval '1 hour' WHERE endpoint_id = $1`,
    [later]
  )
  await pool.query(`UPDATE endpoint SET paused_until = now() + interval '1 hour' WHERE id = $1`, [
    paused
  ])
  await pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE id = $1`,
    [disabled]
  )
  await pool.query(`DELETE FROM ${LANES_SCHEMA}.job`)
  t.equal(await deliveries.wakeDue(), 1)
  t.same(
    (await pool.query(`SELECT data FROM ${LANES_SCHEMA}.job`)).rows,
    [{ data: { endpointId: due } }],
    'the job is one that senders of earlier versions can read'
  )
  t.match(await lanes.claim(10), [{ laneId: String(due) }])
  t.equal(await deliveries.wakeDue(), 1, 'whether or not it was woken before')
  for (const id of [paused, disabled]) t.equal(await deliveries.endpoint(id), null)
  t.match(await deliveries.endpoint(due), { id: due, url: URL })
})

t.test('deliveries of disabled endpoints end in pages, past rows that others lock', async t => {
  const client = await whole.addClient()
  const [{ id: off }, { id: on }] = [await client.addEndpoint(URL), await client.addEndpoint(URL)]
  await owe(client, off, ...Array.from({ length: 7 }, (_, n) => `e${n}`))
  t.equal(await deliveries.endDisabled(5), 0)
  await deliveries.change(off, { kind: 'disabled', reason: 'gone' })
  const holder = await pool.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM delivery WHERE endpoint_id = $1 ORDER BY id LIMIT 1 FOR UPDATE', [
    off
  ])
  t.equal(await deliveries.endDisabled(5), 5)
  t.equal(await deliveries.endDisabled(5), 1)
  await holder.query('ROLLBACK')
  holder.release()
  t.equal(await deliveries.endDisabled(5), 1)
  t.equal(await deliveries.endDisabled(5), 0)
  const { rows } = await pool.query(
    'SELECT DISTINCT state, dead_reason FROM delivery WHERE endpoint_id = $1',
    [off]
  )
  t.same(rows, [{ state: 'dead', dead_reason: 'endpoint-disabled' }])
  t.equal((await deliveries.due(on, 10, [])).length, 7, 'the other endpoint keeps its own')
})

t.test('an endpoint’s health: first failure, longest pause, recovery, disabled once', async t => {
  const client = await whole.addClient()
  const { id } = await client.addEndpoint(URL)
  const health = async (): Promise<Record<string, unknown> | undefined> =>
    (
      await pool.query<Record<string, unknown>>(
        `SELECT round(extract(epoch FROM now() - failing_since))::int AS "failingS",
                  round(extract(epoch FROM paused_until - now()))::int AS "pausedS",
                circuit_opened AS opened, state, disabled_reason AS reason FROM endpoint WHERE id = $1`,
        [id]
      )
    ).rows[0]
  await deliveries.change(id, { kind: 'failing', forMs: 3_600_000 })
  await deliveries.change(id, { kind: 'failing', forMs: 1_000 })
  t.match(await health(), { failingS: 3_600 }, 'since the first time')
  await deliveries.change(id, { kind: 'paused', forMs: 600_000, circuitOpened: 2 })
  await deliveries.change(id, { kind: 'paused', forMs: 30_000, circuitOpened: 3 })
  t.match(await health(), { pausedS: 600, opened: 3 })
  await pool.query('UPDATE endpoint SET paused_until = NULL WHERE id = $1', [id])
  const sealed = await deliveries.endpoint(id)
  t.equal(sealed?.circuitOpened, 3)
  t.ok(Math.abs((sealed?.failingForMs ?? 0) - 3_600_000) < 60_000, `${sealed?.failingForMs}`)
  await deliveries.change(id, { kind: 'healthy' })
  t.match(await health(), { failingS: null, opened: 0 })
  await deliveries.change(id, { kind: 'paused', forMs: 0, circuitOpened: 1 })
  await deliveries.change(id, { kind: 'healthy' })
  t.match(await health(), { opened: 0 }, 'also when only its circuit had opened')
  await deliveries.change(id, { kind: 'disabled', reason: 'first' })
  await deliveries.change(id, { kind: 'disabled', reason: 'second' })
  t.match(await health(), { state: 'disabled-by-failure', reason: 'first' })
})

t.test('a failure of the database is a StoreError', async t => {
  await t.rejects(deliveries.due(2 ** 31, 1, []), { name: 'StoreError' })
  await t.rejects(
    deliveries.change(1, { kind: 'paused', forMs: Number.NaN, circuitOpened: 2 ** 40 }),
    { name: 'StoreError' }
  )
})

t.test('a delivery whose message was deleted is dead, and delays no others', async t => {
  const client = await whole.addClient()
  const { id: endpointId } = await client.addEndpoint(URL, { isOrdered: true })
  const ids = await owe(client, endpointId, 'a', 'b', 'c')
  await pool.query(
    `DELETE FROM message WHERE fk_client_name = (SELECT fk_client_name FROM endpoint WHERE id = $1)
      AND message_id IN ('a', 'b')`,
    [endpointId]
  )
  t.match(
    await deliveries.due(endpointId, 2, []),
    [{ messageId: 'c' }],
    'even if a whole page is gone'
  )
  t.match(await rowOf(ids[0] ?? ''), {
    state: 'dead',
    dead_reason: 'message-gone',
    isOver: true,
    isFinished: true
  })
  t.match(await rowOf(ids[1] ?? ''), { state: 'dead', dead_reason: 'message-gone' })
  t.match(await rowOf(ids[2] ?? ''), { state: 'pending' })
})
