import t, { type Test } from 'tap'
import { startStubHttp } from '../../../lab/testing/stub-http.js'
import { until } from '../../../lab/testing/until.js'
import { createWholeSender, type TestSenderSettings } from '../../../lab/testing/whole-sender.js'

const whole = await createWholeSender(t)
const { pool } = whole

const start = (t: Test, over: Partial<TestSenderSettings> = {}): void => {
  const sender = whole.start(over)
  t.teardown(() => sender.stop(5_000, () => undefined))
}
t.afterEach(() =>
  pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE state = 'enabled'`
  )
)

interface Arrival {
  readonly id: string
  readonly status: number
}

/**
 * A recipient that knows how often each event fails before it succeeds, and notices when
 * one arrives before another is answered.
 */
async function startRecipient(t: Test, failures: Readonly<Record<string, number>> = {}) {
  const arrivals: Arrival[] = []
  const left = new Map(Object.entries(failures))
  let underWay = 0
  let most = 0
  const { origin } = await startStubHttp(t, (reply, { body }) => {
    const { id } = JSON.parse(body) as { id: string }
    underWay += 1
    most = Math.max(most, underWay)
    const status = (left.get(id) ?? 0) > 0 ? 500 : 200
    left.set(id, (left.get(id) ?? 0) - 1)
    arrivals.push({ id, status })
    setImmediate(() => {
      underWay -= 1
      reply.writeHead(status).end()
    })
  })
  return {
    origin,
    arrivals,
    most: () => most,
    delivered: () => arrivals.filter(({ status }) => status === 200).map(({ id }) => id)
  }
}

/** In commit order, which the ids do not show. */
const shuffled = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `e${(n * 37) % count}`)

t.test('an ordered endpoint gets one event at a time in commit order, from any sender', async t => {
  const recipient = await startRecipient(t)
  const client = await whole.addClient()
  await client.addEndpoint(recipient.origin, { isOrdered: true, maxConcurrency: 10 })
  // Other endpoints keep the lanes busy, so that this one moves between senders.
  const busy = await startRecipient(t)
  for (let n = 0; n < 4; n++) await client.addEndpoint(busy.origin)
  const ids = shuffled(100)
  for (const sender of [1, 2, 3]) start(t, { maxLanes: sender })
  for (const id of ids) await client.store(id)
  await until('all are delivered', () => recipient.arrivals.length >= ids.length)
  t.same(recipient.delivered(), ids)
  t.equal(recipient.most(), 1)
})

t.test('a failed delivery blocks the later ones until it succeeds', async t => {
  const recipient = await startRecipient(t, { c: 2 })
  const client = await whole.addClient()
  await client.addEndpoint(recipient.origin, { isOrdered: true })
  for (const id of ['d', 'c', 'b', 'a']) await client.store(id)
  start(t, { schedule: [20, 20, 20] })
  start(t, { schedule: [20, 20, 20] })
  await until('all are delivered', () => recipient.delivered().length === 4)
  t.same(
    recipient.arrivals.map(({ id }) => id),
    ['d', 'c', 'c', 'c', 'b', 'a']
  )
})

t.test('a delivery at the end of its schedule frees the line; redriven, it comes next', async t => {
  const recipient = await startRecipient(t, { b: 2 })
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { isOrdered: true })
  for (const id of ['a', 'b', 'c']) await client.store(id)
  start(t, { schedule: [20] })
  await until('the line goes on', () => recipient.delivered().length === 2)
  t.same(recipient.delivered(), ['a', 'c'])
  const { rows } = await pool.query(
    'SELECT message_id, dead_reason FROM delivery WHERE endpoint_id = $1 AND state = $2',
    [endpoint.id, 'dead']
  )
  t.same(rows, [{ message_id: 'b', dead_reason: 'schedule-ended' }])
  await pool.query(
    `UPDATE delivery SET state = 'pending', next_attempt_at = '-infinity', dead_reason = NULL,
        finished_at = NULL, schedule_began_after = attempts
     WHERE endpoint_id = $1 AND state = 'dead'`,
    [endpoint.id]
  )
  await until('it is delivered', () => recipient.delivered().length === 3)
  t.same(recipient.delivered(), ['a', 'c', 'b'])
})

t.test('an ordered endpoint that is paused keeps its order', async t => {
  const recipient = await startRecipient(t, { x: 1 })
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { isOrdered: true })
  for (const id of ['x', 'b']) await client.store(id)
  start(t, { schedule: [3_600_000] })
  await until('it is paused', async () => {
    const { rows } = await pool.query(
      'SELECT FROM endpoint WHERE id = $1 AND paused_until > now()',
      [endpoint.id]
    )
    return rows.length === 1
  })
  await client.store('a')
  await until('it is queued', async () => {
    const { rows } = await pool.query('SELECT FROM delivery WHERE endpoint_id = $1', [endpoint.id])
    return rows.length === 3
  })
  t.equal(recipient.arrivals.length, 1)
  await pool.query('UPDATE endpoint SET paused_until = NULL WHERE id = $1', [endpoint.id])
  await until('all are delivered', () => recipient.delivered().length === 3)
  t.same(recipient.delivered(), ['x', 'b', 'a'])
})
