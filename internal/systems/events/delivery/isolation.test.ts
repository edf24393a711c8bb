import t, { type Test } from 'tap'
import { type StubHttp, startStubHttp } from '../../../lab/testing/stub-http.js'
import { until } from '../../../lab/testing/until.js'
import { createWholeSender, type TestSenderSettings } from '../../../lab/testing/whole-sender.js'
import { LANES_SCHEMA } from './store/endpoint-lanes.js'

const whole = await createWholeSender(t)
const { pool } = whole

const start = (t: Test, over: Partial<TestSenderSettings> = {}): void => {
  const sender = whole.start(over)
  t.teardown(() => sender.stop(1_000, () => undefined))
}
t.afterEach(() =>
  pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE state = 'enabled'`
  )
)

const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `e${n}`)

interface Health {
  readonly isPaused: boolean
  readonly opened: number
  readonly isFailing: boolean
  readonly pending: number
}

async function healthOf({ id }: { readonly id: number }): Promise<Health> {
  const { rows } = await pool.query<Health>(
    `SELECT coalesce(paused_until > now(), false) AS "isPaused", circuit_opened AS opened,
            failing_since IS NOT NULL AS "isFailing",
            (SELECT count(*)::int FROM delivery d WHERE d.endpoint_id = e.id AND state = 'pending') AS pending
     FROM endpoint e WHERE id = $1`,
    [id]
  )
  return rows[0]!
}

/** An attempt still under way may pause it once more. */
const untilLeft = ({ id }: { readonly id: number }) =>
  until('nothing works on its lane', async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM ${LANES_SCHEMA}.job WHERE singleton_key = $1 AND state = 'active'`,
      [String(id)]
    )
    return rowCount === 0
  })

const endPause = ({ id }: { readonly id: number }) =>
  pool.query('UPDATE endpoint SET paused_until = NULL WHERE id = $1', [id])

async function startSilent(t: Test): Promise<StubHttp> {
  return startStubHttp(t, () => undefined)
}

t.test('dead endpoints with 10,000 queued deliveries delay no others and are paused', async t => {
  const [silent, closed, failing, recipient] = [
    await startSilent(t),
    await startStubHttp(t, reply => reply.end()),
    await startStubHttp(t, reply => reply.writeHead(500).end()),
    await startStubHttp(t, reply => reply.end())
  ]
  closed.server.close()
  const [ill, well] = [await whole.addClient(), await whole.addClient()]
  const dead = [
    await ill.addEndpoint(silent.origin, { timeoutMs: 300 }),
    await ill.addEndpoint(closed.origin),
    await ill.addEndpoint(failing.origin)
  ]
  const endpoint = await well.addEndpoint(recipient.origin)
  await ill.store(...ids(3_400))
  await until('all of it is queued', async () => {
    await whole.deliveries.fanOut(2_000)
    return (await healthOf(dead[0]!)).pending === 3_400
  })
  // Fewer lanes than dead endpoints.
  start(t, { maxLanes: 2, schedule: [3_600_000] })
  for (let round = 0; round < 5; round++) {
    await well.store(...ids(20).map(id => `${round} ${id}`))
    await until(
      `round ${round} is delivered`,
      async () => recipient.requests.length === 20 * (round + 1)
    )
  }
  await until('all of it is recorded', async () => (await healthOf(endpoint)).pending === 0)
  for (const one of dead) {
    await until('it is paused', async () => (await healthOf(one)).isPaused)
    await untilLeft(one)
    t.match(await healthOf(one), { opened: 1, isFailing: true, pending: 3_400 })
  }
  const { rows } = await pool.query<{ attempts: number }>(
    `SELECT count(*)::int AS attempts FROM delivery_attempt JOIN delivery ON id = delivery_id
        WHERE fk_client_name = $1`,
    [ill.name]
  )
  t.ok(
    rows[0]!.attempts >= 30 && rows[0]!.attempts < 3 * 20,
    `${rows[0]?.attempts} attempts at 10 200 deliveries`
  )
})

t.test('an open circuit allows one attempt, opens for longer, and closes on success', async t => {
  let status = 500
  const recipient = await startStubHttp(t, reply => reply.writeHead(status).end())
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { maxConcurrency: 5 })
  await client.store(...ids(50))
  start(t, { schedule: [3_600_000] })
  await until('it opens', async () => (await healthOf(endpoint)).opened === 1)
  await untilLeft(endpoint)
  const before = recipient.requests.length
  t.ok(before >= 10 && before < 15, `${before} attempts`)
  for (const opened of [2, 3]) {
    await endPause(endpoint)
    await until(
      `it opens again, ${opened}`,
      async () => (await healthOf(endpoint)).opened === opened
    )
    await untilLeft(endpoint)
    t.equal(recipient.requests.length, before + opened - 1, 'one attempt')
  }
  const { rows } = await pool.query<{ s: number }>(
    'SELECT extract(epoch FROM paused_until - now())::float8 AS s FROM endpoint WHERE id = $1',
    [endpoint.id]
  )
  t.ok(rows[0]!.s > 15 && rows[0]!.s <= 40, `the third pause: ${rows[0]?.s} s`)
  status = 200
  await endPause(endpoint)
  await until('it is well', async () => {
    const { opened, isFailing, pending } = await healthOf(endpoint)
    return opened === 0 && !isFailing && pending === before + 2
  })
  t.equal(
    (await healthOf(endpoint)).pending,
    before + 2,
    'untried deliveries arrive; the failed ones wait until they are due'
  )
})

t.test('an endpoint that fails for too long is disabled, one that fails less is not', async t => {
  const failing = await startStubHttp(t, reply => reply.writeHead(500).end())
  const client = await whole.addClient()
  const [long, short] = [
    await client.addEndpoint(failing.origin),
    await client.addEndpoint(failing.origin)
  ]
  await pool.query(
    `UPDATE endpoint SET failing_since = now() - interval '61 minutes' WHERE id = $1`,
    [long.id]
  )
  await pool.query(
    `UPDATE endpoint SET failing_since = now() - interval '58 minutes' WHERE id = $1`,
    [short.id]
  )
  await client.store('e')
  start(t, { disableAfterMs: 3_600_000, schedule: [3_600_000] })
  const stateOf = async ({ id }: { readonly id: number }) =>
    (
      await pool.query<{ state: string; reason: string | null }>(
        'SELECT state, disabled_reason AS reason FROM endpoint WHERE id = $1',
        [id]
      )
    ).rows[0]
  await until('it is disabled', async () => (await stateOf(long))?.state === 'disabled-by-failure')
  t.match(await stateOf(long), { reason: 'no attempt has succeeded for 1.0 hours' })
  await until('the other one was tried too', () => failing.requests.length === 2)
  t.match(await stateOf(short), { state: 'enabled' })
})

t.test('no endpoint has more attempts under way than it allows', async t => {
  const most = new Map<string, number>()
  const underWay = new Map<string, number>()
  const waiting: (() => void)[] = []
  const recipient = await startStubHttp(t, (reply, { path }) => {
    const now = (underWay.get(path) ?? 0) + 1
    underWay.set(path, now)
    most.set(path, Math.max(most.get(path) ?? 0, now))
    waiting.push(() => {
      underWay.set(path, (underWay.get(path) ?? 1) - 1)
      reply.end()
    })
  })
  const client = await whole.addClient()
  const limits = [1, 3, 12]
  const endpoints: { readonly id: number }[] = []
  for (const maxConcurrency of limits)
    endpoints.push(
      await client.addEndpoint(`${recipient.origin}/${maxConcurrency}`, { maxConcurrency })
    )
  await client.store(...ids(30))
  // Two senders, but only one at a time has the lane.
  start(t)
  start(t)
  await until('each has as many as it may', () => waiting.length === 16)
  await until('all are delivered', async () => {
    for (const answer of waiting.splice(0)) answer()
    return (
      (await Promise.all(endpoints.map(healthOf))).every(({ pending }) => pending === 0) &&
      recipient.requests.length === 90
    )
  })
  t.same(
    limits.map(limit => most.get(`/${limit}`)),
    limits
  )
})
