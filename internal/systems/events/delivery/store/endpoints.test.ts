import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createTestDatabase } from '../../../../lab/testing/database.js'
import { until } from '../../../../lab/testing/until.js'
import { HEADERS_FIELD, openEndpoint, SECRET_FIELD } from '../endpoint.js'
import { parseKeyRing } from '../sealed.js'
import { newSecret } from '../secret.js'
import type { NewEndpoint, SealFor } from './endpoints.js'
import { createPostgresEndpoints } from './postgres-endpoints.js'

const { pool } = await createTestDatabase(t)
const endpoints = createPostgresEndpoints(pool)
const keys = parseKeyRing(`test:${randomBytes(32).toString('base64')}`)
const seal =
  (secret: string, headers: Record<string, string> | null = null): SealFor =>
  (id, client) => {
    const place = { clientId: client, endpointId: String(id) }
    return {
      secret: keys.seal(secret, { ...place, field: SECRET_FIELD }),
      headers:
        headers === null
          ? null
          : keys.seal(JSON.stringify(headers), { ...place, field: HEADERS_FIELD })
    }
  }
const endpoint = (over: Partial<NewEndpoint> = {}): NewEndpoint => ({
  client: 'client-1',
  url: 'https://example.com/events',
  eventTypes: null,
  isOrdered: false,
  maxConcurrency: null,
  maxPerSecond: null,
  timeoutMs: null,
  ...over
})
const count = async (from: string): Promise<number> =>
  Number((await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${from}`)).rows[0]?.n)

async function added(over: Partial<NewEndpoint> = {}, secret = newSecret()): Promise<number> {
  const outcome = await endpoints.add(endpoint(over), seal(secret))
  if (outcome.kind !== 'added') throw new Error(outcome.kind)
  return outcome.id
}

t.beforeEach(async () => {
  await pool.query('TRUNCATE endpoint, endpoint_secret, delivery, delivery_attempt')
})

t.test('an endpoint is added with secret and headers, which open only in their place', async t => {
  const secret = newSecret()
  const outcome = await endpoints.add(
    endpoint({ eventTypes: ['user-app'], maxPerSecond: 0.5, timeoutMs: 900 }),
    seal(secret, { authorization: 'planted' })
  )
  const id = outcome.kind === 'added' ? outcome.id : 0
  t.match(await endpoints.find(id), {
    client: 'client-1',
    eventTypes: ['user-app'],
    state: 'enabled',
    maxConcurrency: 10,
    maxPerSecond: 0.5,
    timeoutMs: 900,
    hasHeaders: true,
    secrets: [{ expiresAt: null }],
    pending: 0,
    dead: 0
  })
  const sealed = await endpoints.findSealed(id)
  t.same(openEndpoint(sealed!, keys).headers, ['authorization', 'planted'])
  t.throws(() => openEndpoint({ ...sealed!, id: id + 1 }, keys), { name: 'SealError' })
  const { rows } = await pool.query(
    'SELECT e::text || s::text AS text FROM endpoint e JOIN endpoint_secret s ON s.endpoint_id = e.id'
  )
  t.notMatch(rows[0], 'planted')
  t.notMatch(rows[0], Buffer.from(secret).toString('hex'))
})

t.test('unknown names are outcomes and leave no row', async t => {
  t.same(await endpoints.add(endpoint({ client: 'nobody' }), seal('x')), { kind: 'unknown-client' })
  t.same(await endpoints.add(endpoint({ eventTypes: ['user-app', 'nothing'] }), seal('x')), {
    kind: 'unknown-event-type',
    eventType: 'nothing'
  })
  await t.rejects(
    endpoints.add(endpoint(), () => {
      throw new Error('no key')
    })
  )
  t.same([await count('endpoint'), await count('endpoint_secret')], [0, 0])
})

t.test('a new secret comes first; earlier ones end after the grace, never later', async t => {
  const id = await added()
  const secrets = async () => (await endpoints.find(id))?.secrets ?? []
  const inMs = (date: Date | null | undefined): number =>
    (date ?? new Date(0)).getTime() - Date.now()
  const first = await endpoints.rotateSecret(id, seal(newSecret()), 3_600_000)
  t.match(first, { client: 'client-1', before: { length: 1 }, ended: 0 })
  t.ok(inMs(first?.before[0]) > 3_500_000 && inMs(first?.before[0]) <= 3_600_000)
  const second = await endpoints.rotateSecret(id, seal(newSecret()), 86_400_000)
  t.same([second?.before.length, second?.ended], [2, 0])
  t.ok(inMs(second?.before[1]) <= 3_600_000, 'the oldest ends when it would have anyway')
  t.ok(inMs(second?.before[0]) > 86_000_000)
  t.equal((await endpoints.findSealed(id))?.sealedSecrets.length, 3)
  t.match(await endpoints.rotateSecret(id, seal(newSecret()), 86_400_000), {
    before: { length: 2 },
    ended: 1
  })
  t.equal((await secrets()).length, 3, 'a fourth one ends at once')
  const newest = newSecret()
  t.match(await endpoints.rotateSecret(id, seal(newest), 0), { before: { length: 0 }, ended: 3 })
  t.same([(await secrets()).length, await count('endpoint_secret')], [1, 1])
  t.equal(await endpoints.rotateSecret(999_999, seal('x'), 0), null)
})

t.test('an expired secret signs nothing and is deleted at the next change', async t => {
  const id = await added()
  await endpoints.rotateSecret(id, seal(newSecret()), 60_000)
  await pool.query(`UPDATE endpoint_secret SET expires_at = now() WHERE expires_at IS NOT NULL`)
  t.equal((await endpoints.findSealed(id))?.sealedSecrets.length, 1)
  t.match(await endpoints.rotateSecret(id, seal(newSecret()), 60_000), {
    before: { length: 1 },
    ended: 0
  })
  t.equal(await count('endpoint_secret'), 2)
})

t.test('values sealed by another key are resealed unless they changed meanwhile', async t => {
  const outcome = await endpoints.add(endpoint(), seal(newSecret(), { authorization: 'planted' }))
  const id = outcome.kind === 'added' ? outcome.id : 0
  t.same(await endpoints.sealedByOthers('test'), [])
  const found = await endpoints.sealedByOthers('new')
  t.match(found, [
    {
      endpointId: id,
      client: 'client-1',
      field: 'headers',
      rowId: id,
      sealed: { keyId: 'test' }
    },
    { endpointId: id, client: 'client-1', field: 'secret', sealed: { keyId: 'test' } }
  ])
  const again = { keyId: 'new', box: randomBytes(40) }
  for (const value of found) {
    t.equal(
      await endpoints.reseal(
        { ...value, sealed: { ...value.sealed, box: randomBytes(40) } },
        again
      ),
      false,
      'it is another one'
    )
    t.equal(await endpoints.reseal(value, again), true)
    t.equal(await endpoints.reseal(value, again), false)
  }
  t.same(await endpoints.sealedByOthers('new'), [])
  const sealed = await endpoints.findSealed(id)
  t.same([sealed?.sealedSecrets, sealed?.sealedHeaders], [[again], again])
})

t.test(
  'of two concurrent rotations the second’s secret is newest, the first has grace',
  async t => {
    const id = await added()
    const holder = await pool.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT FROM endpoint WHERE id = $1 FOR UPDATE', [id])
    const both = [
      endpoints.rotateSecret(id, seal(newSecret()), 60_000),
      endpoints.rotateSecret(id, seal(newSecret()), 60_000)
    ]
    await until(
      'both wait',
      async () =>
        (await count(
          `pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
        )) === 2
    )
    await holder.query('COMMIT')
    holder.release()
    const lengths = (await Promise.all(both)).map(rotated => rotated?.before.length)
    t.same(lengths.toSorted(), [1, 2])
    t.equal(await count('endpoint_secret WHERE expires_at IS NULL'), 1)
  }
)

t.test('an endpoint that is enabled again has no reason, no failures and no pause', async t => {
  const id = await added()
  t.equal(await endpoints.disable(id, 'a reason'), 'changed')
  t.equal(await endpoints.disable(id, 'another'), 'unchanged')
  t.match(await endpoints.find(id), {
    state: 'disabled-by-operator',
    disabledReason: 'a reason',
    disabledAt: Date
  })
  await pool.query(
    `UPDATE endpoint SET failing_since = now(), paused_until = now() + interval '1 hour', circuit_opened = 3`
  )
  t.equal(await endpoints.enable(id), 'changed')
  t.equal(await endpoints.enable(id), 'unchanged')
  t.match(await endpoints.find(id), {
    state: 'enabled',
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    pausedUntil: null
  })
  t.match(await endpoints.findSealed(id), { failingForMs: null, circuitOpened: 0 })
  await pool.query(
    `UPDATE endpoint SET paused_until = now() + interval '1 hour', circuit_opened = 3`
  )
  t.equal(await endpoints.enable(id), 'changed', 'it was only paused')
  t.match(await endpoints.findSealed(id), { circuitOpened: 0 })
  t.equal(await endpoints.enable(999_999), 'missing')
  t.equal(await endpoints.disable(999_999, null), 'missing')
})

t.test('endpoints are listed by client and state, with their pending and dead counts', async t => {
  const one = await added()
  const two = await added({ client: 'client-2' })
  await endpoints.disable(two, null)
  await pool.query(
    `INSERT INTO delivery (endpoint_id, fk_client_name, message_id, state, dead_reason, next_attempt_at)
     SELECT $1, 'client-1', n::text, CASE WHEN n < 3 THEN 'dead' ELSE 'pending' END,
       CASE WHEN n < 3 THEN 'schedule-ended' END,
            CASE WHEN n >= 3 THEN now() END FROM generate_series(1, 7) n`,
    [one]
  )
  const ids = async (client: string | null, state: 'enabled' | 'disabled-by-operator' | null) =>
    (await endpoints.list({ client, state })).map(({ id }) => id)
  t.same(await ids(null, null), [one, two])
  t.same(await ids('client-2', null), [two])
  t.same(await ids(null, 'enabled'), [one])
  t.match((await endpoints.list({ client: 'client-1', state: null }))[0], {
    pending: 5,
    dead: 2,
    oldestPendingAt: Date
  })
})
