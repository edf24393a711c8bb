import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { lookForLostLanes, silenceLanes } from '../../../lab/testing/lost-lanes.js'
import { type StubRequest, startStubHttp } from '../../../lab/testing/stub-http.js'
import { until } from '../../../lab/testing/until.js'
import {
  createWholeSender,
  type TestSender,
  type TestSenderSettings
} from '../../../lab/testing/whole-sender.js'
import { SECRET_FIELD } from './endpoint.js'
import { LANES_SCHEMA } from './store/endpoint-lanes.js'

const whole = await createWholeSender(t)
const { pool, keys } = whole

function start(t: Test, over: Partial<TestSenderSettings> = {}): TestSender {
  const sender = whole.start(over)
  t.teardown(() => sender.stop(5_000, () => undefined))
  return sender
}

// Closes what a test leaves undelivered, so that the next one does not meet it.
t.afterEach(() =>
  pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE state = 'enabled'`
  )
)

interface DeliveryRow {
  readonly id: string
  readonly messageId: string
  readonly state: string
  readonly deadReason: string | null
  readonly attempts: number
  readonly waitS: number | null
}

async function deliveriesOf({ id }: { readonly id: number }): Promise<readonly DeliveryRow[]> {
  const { rows } = await pool.query<DeliveryRow>(
    `SELECT id::text, message_id AS "messageId", state, dead_reason AS "deadReason", attempts,
            extract(epoch FROM next_attempt_at - now())::float8 AS "waitS"
     FROM delivery WHERE endpoint_id = $1 ORDER BY id`,
    [id]
  )
  return rows
}

interface AttemptRow {
  readonly attempt: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly status: number | null
  readonly errorClass: string | null
  readonly response: string | null
}

async function attemptsAt({ id }: { readonly id: number }): Promise<readonly AttemptRow[]> {
  const { rows } = await pool.query<AttemptRow>(
    `SELECT a.attempt, a.started_at AS "startedAt", a.duration_ms AS "durationMs", a.status,
            a.error_class AS "errorClass", a.response
     FROM delivery d JOIN delivery_attempt a ON a.delivery_id = d.id WHERE d.endpoint_id = $1 ORDER BY d.id, a.attempt`,
    [id]
  )
  return rows
}

const idOf = (request: StubRequest | undefined): unknown => request?.headers['webhook-id']
const verify = (secret: string, request: StubRequest | undefined): unknown =>
  new Webhook(secret).verify(
    request?.body ?? '',
    (request?.headers ?? {}) as Record<string, string>
  )

t.test('a stored event reaches its endpoint once, signed, its payload as stored', async t => {
  const recipient = await startStubHttp(t, reply => reply.end('thanks'))
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(`${recipient.origin}/events`)
  await pool.query(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message, received_at)
     VALUES ($1, 'user-app', 'e.1', '{ "price": 1.10 }', '2026-01-02T03:04:05.678Z')`,
    [client.name]
  )
  start(t)
  await until(
    'the delivery is done',
    async () => (await deliveriesOf(endpoint))[0]?.state === 'delivered'
  )
  const [request] = recipient.requests
  t.equal(request?.path, '/events')
  t.equal(
    request?.body,
    '{"type":"user-app","timestamp":"2026-01-02T03:04:05.678Z","id":"e.1",' +
      `"client":"${client.name}","data":{ "price": 1.10 }}`
  )
  t.doesNotThrow(() => verify(endpoint.secret, request))
  t.match(await attemptsAt(endpoint), [
    { attempt: 1, status: 200, errorClass: null, response: 'thanks' }
  ])
  t.equal(recipient.requests.length, 1)
})

t.test('payloads arrive character for character, and their signatures hold', async t => {
  const payloads = [
    String.raw`{"nul":"\u0000","half":"\ud83d","pair":"\ud83d\ude00"}`,
    '[1e400, -0, 0.10000000000000000000001, 12345678901234567890]',
    '{"b":1,"a":2,"a":3, "a" :4}',
    ' \n{\t"a" :\r\n[ ] }  ',
    '"Grüße, 世界 🌍 \u2028"',
    `[${'['.repeat(50)}${']'.repeat(50)}]`
  ]
  const recipient = await startStubHttp(t, reply => reply.end())
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { isOrdered: true })
  for (const [n, payload] of payloads.entries()) {
    await pool.query(
      `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
          VALUES ($1, 'user-app', $2, $3::text::json)`,
      [client.name, String(n), payload]
    )
  }
  start(t)
  await until('all arrive', () => recipient.requests.length === payloads.length)
  for (const [n, payload] of payloads.entries()) {
    const request = recipient.requests[n]
    // Numbered, because a line separator in a title would break the test's own report.
    t.ok(request?.body.endsWith(`,"data":${payload}}`), `payload ${n}`)
    t.doesNotThrow(() => verify(endpoint.secret, request))
  }
})

t.test('while a secret is being replaced both sign; an expired one does not', async t => {
  const recipient = await startStubHttp(t, reply => reply.end())
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin)
  const addSecret = async (expiresAt: string | null): Promise<string> => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    const { keyId, box } = keys.seal(secret, {
      clientId: client.name,
      endpointId: String(endpoint.id),
      field: SECRET_FIELD
    })
    await pool.query(
      'INSERT INTO endpoint_secret (endpoint_id, key_id, sealed_secret, expires_at) VALUES ($1, $2, $3, $4)',
      [endpoint.id, keyId, box, expiresAt]
    )
    return secret
  }
  const expired = await addSecret('2001-01-01')
  const newer = await addSecret(null)
  await client.store('e')
  start(t)
  await until('it arrives', () => recipient.requests.length > 0)
  const [request] = recipient.requests
  t.doesNotThrow(() => verify(endpoint.secret, request))
  t.doesNotThrow(() => verify(newer, request))
  t.throws(() => verify(expired, request))
  t.equal(String(request?.headers['webhook-signature']).split(' ').length, 2)
})

t.test('a redirect is a failure, and is not followed', async t => {
  const elsewhere = await startStubHttp(t, reply => reply.end())
  const recipient = await startStubHttp(t, reply =>
    reply.writeHead(307, { location: elsewhere.origin }).end()
  )
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin)
  await client.store('e')
  start(t, { schedule: [] })
  await until('the schedule ends', async () => (await deliveriesOf(endpoint))[0]?.state === 'dead')
  t.match(await attemptsAt(endpoint), [{ status: 307 }])
  t.equal(elsewhere.requests.length, 0)
})

t.test('a failing delivery ends its schedule dead, and a redrive starts a new one', async t => {
  let status = 500
  const recipient = await startStubHttp(t, (reply, _, before) =>
    reply.writeHead(status).end(`no ${before + 1}\0${'x'.repeat(2_000)}`)
  )
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin)
  await client.store('e')
  start(t, { schedule: [50, 50] })
  const redrive = () =>
    pool.query(
      `UPDATE delivery SET state = 'pending', next_attempt_at = now(), dead_reason = NULL,
          finished_at = NULL, schedule_began_after = attempts
       WHERE endpoint_id = $1 AND state = 'dead'`,
      [endpoint.id]
    )
  const isDeadAfter = (attempts: number) => async () => {
    const [row] = await deliveriesOf(endpoint)
    return row?.state === 'dead' && row.attempts === attempts
  }
  await until('the schedule ends', isDeadAfter(3))
  t.match(await deliveriesOf(endpoint), [{ deadReason: 'schedule-ended', waitS: null }])
  await redrive()
  await until('it ends again', isDeadAfter(6))
  status = 204
  await redrive()
  await until(
    'it is delivered',
    async () => (await deliveriesOf(endpoint))[0]?.state === 'delivered'
  )

  const attempts = await attemptsAt(endpoint)
  t.same(
    attempts.map(({ attempt }) => attempt),
    [1, 2, 3, 4, 5, 6, 7]
  )
  t.same(
    attempts.map(row => row.status),
    [500, 500, 500, 500, 500, 500, 204]
  )
  const times = attempts.map(({ startedAt }) => startedAt.getTime())
  t.ok(
    times.every((at, n) => n === 0 || at > (times[n - 1] ?? 0)),
    'each begins after the previous one'
  )
  t.equal(attempts[0]?.response?.length, 1_024, 'the first KiB is kept')
  t.match(attempts[0]?.response, /^no 1.x+$/, 'without what PostgreSQL cannot hold')
  t.equal(recipient.requests.length, 7)
  t.equal(new Set(recipient.requests.map(idOf)).size, 1, 'one webhook-id')
  for (const request of recipient.requests) t.doesNotThrow(() => verify(endpoint.secret, request))
  const stamps = recipient.requests.map(({ headers }) => Number(headers['webhook-timestamp']))
  t.ok(
    stamps.every((stamp, n) => stamp === Math.floor((times[n] ?? 0) / 1_000)),
    'each with the time of its own attempt'
  )
})

t.test('an attempt without an answer has an error class', async t => {
  const closed = await startStubHttp(t, reply => reply.end())
  closed.server.close()
  const silent = await startStubHttp(t, () => undefined)
  const torn = await startStubHttp(t, reply => reply.socket?.destroy())
  const client = await whole.addClient()
  const endpoints = [
    { endpoint: await client.addEndpoint(closed.origin), want: 'connect-refused' },
    { endpoint: await client.addEndpoint(silent.origin, { timeoutMs: 200 }), want: 'deadline' },
    { endpoint: await client.addEndpoint(torn.origin), want: 'reset' },
    { endpoint: await client.addEndpoint('http://10.1.2.3/'), want: 'refused-url' }
  ]
  await client.store('e')
  start(t, { schedule: [] })
  for (const { endpoint, want } of endpoints) {
    await until(want, async () => (await deliveriesOf(endpoint))[0]?.state === 'dead')
    t.match(await attemptsAt(endpoint), [{ attempt: 1, status: null, errorClass: want }])
  }
})

t.test('410 disables the endpoint: its deliveries end dead, and no new ones are made', async t => {
  const recipient = await startStubHttp(t, reply => reply.writeHead(410).end())
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { maxConcurrency: 1 })
  await client.store(...Array.from({ length: 30 }, (_, n) => `e${n}`))
  const told: string[] = []
  start(t, { observer: { disabled: (_, reason) => void told.push(reason) } })
  await until(
    'all is dead',
    async () =>
      (await deliveriesOf(endpoint)).every(({ state }) => state === 'dead') && told.length > 0
  )
  t.equal(recipient.requests.length, 1)
  const rows = await deliveriesOf(endpoint)
  t.equal(rows.length, 30)
  t.ok(rows.every(({ deadReason }) => deadReason === 'endpoint-disabled'))
  t.same(told, ['the endpoint answered 410 Gone'])
  const { rows: states } = await pool.query(
    'SELECT state, disabled_reason FROM endpoint WHERE id = $1',
    [endpoint.id]
  )
  t.same(states, [
    { state: 'disabled-by-failure', disabled_reason: 'the endpoint answered 410 Gone' }
  ])
  const other = await client.addEndpoint((await startStubHttp(t, reply => reply.end())).origin)
  await client.store('later')
  await until(
    'the other one has it',
    async () => (await deliveriesOf(other))[0]?.state === 'delivered'
  )
  t.equal((await deliveriesOf(endpoint)).length, 30)
})

for (const status of [429, 503]) {
  t.test(
    `${status} with Retry-After pauses the endpoint and the delivery for that long`,
    async t => {
      const recipient = await startStubHttp(t, reply =>
        reply.writeHead(status, { 'retry-after': '30' }).end()
      )
      const client = await whole.addClient()
      const endpoint = await client.addEndpoint(recipient.origin, { maxConcurrency: 1 })
      await client.store('a', 'b')
      start(t)
      const paused = async (): Promise<number> =>
        (
          await pool.query<{ s: number }>(
            'SELECT extract(epoch FROM paused_until - now())::float8 AS s FROM endpoint WHERE id = $1',
            [endpoint.id]
          )
        ).rows[0]?.s ?? 0
      await until(
        'it is paused and recorded',
        async () => (await paused()) > 0 && (await attemptsAt(endpoint)).length > 0
      )
      t.ok((await paused()) > 20, 'the endpoint')
      t.ok(((await deliveriesOf(endpoint))[0]?.waitS ?? 0) > 20, 'the delivery')
      t.equal(recipient.requests.length, 1, 'the other one waits too')
      await pool.query('UPDATE endpoint SET paused_until = NULL WHERE id = $1', [endpoint.id])
      await until('the other one goes on', () => recipient.requests.length === 2)
      t.not(idOf(recipient.requests[0]), idOf(recipient.requests[1]))
    }
  )
}

t.test('an endpoint that cannot be used here is paused and delays no others', async t => {
  const recipient = await startStubHttp(t, reply => reply.end())
  const client = await whole.addClient()
  const broken = await client.addEndpoint(recipient.origin)
  await pool.query('UPDATE endpoint_secret SET sealed_secret = $2 WHERE endpoint_id = $1', [
    broken.id,
    randomBytes(60)
  ])
  const endpoint = await client.addEndpoint(recipient.origin)
  await client.store('e')
  const faults: string[] = []
  start(t, { maxLanes: 1, observer: { failed: (_, error) => void faults.push(String(error)) } })
  await until(
    'the other one has it',
    async () => (await deliveriesOf(endpoint))[0]?.state === 'delivered'
  )
  await until('the fault is reported', () => faults.length > 0)
  t.match(faults[0], /endpoint \d+ .*does not open/)
  t.match(await deliveriesOf(broken), [{ state: 'pending', attempts: 0 }])
  const { rows } = await pool.query(
    'SELECT paused_until > now() AS "isPaused" FROM endpoint WHERE id = $1',
    [broken.id]
  )
  t.same(rows, [{ isPaused: true }])
})

t.test('lanes without a job (deleted, expired, never written) wake again and deliver', async t => {
  const recipient = await startStubHttp(t, reply => reply.end())
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin)
  await client.store(...Array.from({ length: 200 }, (_, n) => `e${n}`))
  await until('the deliveries are made', async () => {
    await whole.deliveries.fanOut(1_000)
    return (await deliveriesOf(endpoint)).length === 200
  })
  await pool.query(
    `UPDATE ${LANES_SCHEMA}.job SET keep_until = now() - interval '1 hour', created_on = now() - interval '30 days'`
  )
  await lookForLostLanes(pool, LANES_SCHEMA)
  await pool.query(`DELETE FROM ${LANES_SCHEMA}.job`)
  t.equal(
    (await deliveriesOf(endpoint)).filter(({ state }) => state === 'pending').length,
    200,
    'pg-boss forgets only its job'
  )
  start(t)
  await until('the first arrive', () => recipient.requests.length > 0)
  await pool.query(`DELETE FROM ${LANES_SCHEMA}.job`)
  await until('all arrive', async () =>
    (await deliveriesOf(endpoint)).every(({ state }) => state === 'delivered')
  )
})

t.test('thousands of deliveries need no more jobs than two per endpoint', async t => {
  const recipient = await startStubHttp(t, reply => reply.end())
  const client = await whole.addClient()
  const endpoints = []
  for (let n = 0; n < 10; n++) endpoints.push(await client.addEndpoint(recipient.origin))
  await client.store(...Array.from({ length: 300 }, (_, n) => `e${n}`))
  start(t, { maxLanes: 4 })
  let most = 0
  await until(
    'all are delivered',
    async () => {
      const { rows } = await pool.query<{ jobs: number; open: number }>(
        `SELECT (SELECT count(*)::int FROM ${LANES_SCHEMA}.job) AS jobs,
              3000 - (SELECT count(*)::int FROM delivery WHERE fk_client_name = $1 AND state = 'delivered') AS open`,
        [client.name]
      )
      most = Math.max(most, rows[0]?.jobs ?? 0)
      return rows[0]?.open === 0
    },
    30_000
  )
  t.ok(most > 0 && most <= 2 * endpoints.length, `at most ${most} jobs`)
  t.equal(recipient.requests.length, 3_000)
})

t.test('when a lane is lost during an attempt, the repeat has the same webhook-id', async t => {
  let release = (): void => undefined
  const recipient = await startStubHttp(t, (reply, _, before) => {
    if (before === 0) release = () => void reply.writeHead(500).end()
    else reply.end()
  })
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(recipient.origin, { timeoutMs: 30_000 })
  await client.store('e')
  const slow = start(t)
  await until('the first attempt is under way', () => recipient.requests.length === 1)
  t.equal(await silenceLanes(pool, LANES_SCHEMA, [String(endpoint.id)]), 1)
  start(t)
  await until('another process has the lane', async () => {
    if (recipient.requests.length === 1) await lookForLostLanes(pool, LANES_SCHEMA)
    return recipient.requests.length === 2
  })
  await until(
    'it is delivered',
    async () => (await deliveriesOf(endpoint))[0]?.state === 'delivered'
  )
  release()
  await slow.stop(5_000, () => undefined)
  t.equal(idOf(recipient.requests[0]), idOf(recipient.requests[1]))
  t.match(
    await deliveriesOf(endpoint),
    [{ state: 'delivered', attempts: 1 }],
    'the late outcome changes nothing'
  )
  t.match(await attemptsAt(endpoint), [{ attempt: 1, status: 200 }])
  await until('no process has the lane or waits for it', async () => {
    const left = `SELECT FROM ${LANES_SCHEMA}.job WHERE singleton_key = $1 AND state IN ('created', 'active')`
    return (await pool.query(left, [String(endpoint.id)])).rowCount === 0
  })
})
