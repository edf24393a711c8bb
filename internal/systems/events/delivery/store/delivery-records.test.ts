import t from 'tap'
import { createTestDatabase } from '../../../../lab/testing/database.js'
import type {
  BackfillPage,
  DeliveryFilter,
  DeliveryPlace,
  EventPlace,
  RedrivePage
} from './delivery-records.js'
import { createPostgresDeliveryRecords } from './postgres-delivery-records.js'

const { pool } = await createTestDatabase(t)
const deliveries = createPostgresDeliveryRecords(pool)
const EVERY: DeliveryFilter = {
  ids: null,
  client: null,
  endpointId: null,
  eventType: null,
  state: null,
  reason: null,
  since: null
}

const sql = async (
  statement: string,
  values?: unknown[]
): Promise<readonly Record<string, unknown>[]> =>
  (await pool.query<Record<string, unknown>>(statement, values)).rows
/** The values of the first column. */
const column = async (statement: string): Promise<unknown[]> =>
  (await sql(statement)).map(row => Object.values(row)[0])

async function addEndpoint(
  over: { client?: string; isOrdered?: boolean; types?: string[] } = {}
): Promise<number> {
  const { client = 'client-1', isOrdered = false, types = null } = over
  const rows = await sql(
    `INSERT INTO endpoint (fk_client_name, url, is_ordered, event_types)
      VALUES ($1, 'https://example.com', $2, $3) RETURNING id`,
    [client, isOrdered, types]
  )
  return Number(rows[0]?.['id'])
}

/** Stores events in one transaction. */
const store = (ids: readonly string[], client = 'client-1', type = 'user-app'): Promise<unknown> =>
  sql(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
     SELECT $1, $2, id, '1' FROM unnest($3::text[]) id`,
    [client, type, ids]
  )
/** As if the sender had read everything. */
const moveCursor = (): Promise<unknown> =>
  sql(`UPDATE sender_cursor SET (tx, fk_client_name, message_id) =
    (SELECT tx, fk_client_name, message_id FROM message
      ORDER BY tx DESC, fk_client_name DESC, message_id DESC LIMIT 1)`)
const kill = (endpointId: number, count: number, reason = 'schedule-ended'): Promise<unknown> =>
  sql(
    `INSERT INTO delivery (endpoint_id, fk_client_name, message_id, state, dead_reason, attempts, finished_at)
     SELECT $1, 'client-1', 'm-' || n, 'dead', $3, 10, now() FROM generate_series(1, $2::int) n`,
    [endpointId, count, reason]
  )

t.beforeEach(async () => {
  await sql(
    'TRUNCATE endpoint, endpoint_secret, delivery, delivery_attempt, message RESTART IDENTITY'
  )
  await sql(`UPDATE sender_cursor SET tx = '0', fk_client_name = '', message_id = ''`)
})

async function redriveAll(over: Partial<RedrivePage> = {}): Promise<number> {
  const page = { filter: EVERY, startedAt: await deliveries.now(), maxRows: 3, ...over }
  let moved = 0
  for (let after: DeliveryPlace | null = null; ; ) {
    const done = await deliveries.redrive({ ...page, after })
    moved += done.deliveries
    if (done.last === null) return moved
    after = done.last
  }
}

async function backfillAll(endpointId: number, over: Partial<BackfillPage> = {}): Promise<number> {
  const since = new Date(0)
  const page = {
    endpointId,
    eventType: null,
    since,
    until: null,
    maxRows: 2,
    isMade: true,
    ...over
  }
  let made = 0
  for (let after: EventPlace = await deliveries.placeBefore(page.since); ; ) {
    const done = await deliveries.backfill({ ...page, after })
    if (done === null) throw new Error('it is not enabled')
    made += done.deliveries
    if (done.last === null) return made
    after = done.last
  }
}

t.test('a redriven delivery is due at once with a new schedule, and keeps its count', async t => {
  const plain = await addEndpoint()
  const ordered = await addEndpoint({ isOrdered: true })
  await kill(plain, 7)
  await kill(ordered, 2)
  t.equal(await redriveAll(), 9)
  t.same(
    await sql(`SELECT DISTINCT endpoint_id AS id, state, dead_reason, attempts,
        schedule_began_after AS began, finished_at,
                      next_attempt_at <= now() AS due, isfinite(next_attempt_at) AS finite FROM delivery ORDER BY 1`),
    [
      {
        id: plain,
        state: 'pending',
        dead_reason: null,
        attempts: 10,
        began: 10,
        finished_at: null,
        due: true,
        finite: true
      },
      {
        id: ordered,
        state: 'pending',
        dead_reason: null,
        attempts: 10,
        began: 10,
        finished_at: null,
        due: true,
        finite: false
      }
    ]
  )
  t.equal(await redriveAll(), 0, 'a second one finds nothing')
})

t.test('a redrive leaves deliveries that die after its start to the next one', async t => {
  const id = await addEndpoint()
  await kill(id, 4)
  const startedAt = await deliveries.now()
  t.equal(await redriveAll({ startedAt }), 4)
  await sql(
    `UPDATE delivery SET state = 'dead', dead_reason = 'schedule-ended', next_attempt_at = NULL,
      finished_at = now() WHERE id < 3`
  )
  t.equal(await redriveAll({ startedAt }), 0)
  t.equal(await redriveAll(), 2)
})

t.test('deliveries of a disabled endpoint stay dead and are counted apart', async t => {
  const id = await addEndpoint()
  const disabled = await addEndpoint()
  await kill(id, 2)
  await kill(disabled, 3, 'endpoint-disabled')
  await sql(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE id = $1`,
    [disabled]
  )
  t.same(await deliveries.countRedrivable(EVERY), { movable: 2, ofDisabled: 3 })
  t.equal(await redriveAll(), 2)
})

t.test('two redrives at once move each delivery once', async t => {
  const id = await addEndpoint()
  await kill(id, 200)
  const both = await Promise.all([redriveAll({ maxRows: 10 }), redriveAll({ maxRows: 10 })])
  t.equal(both[0] + both[1], 200)
})

t.test('deliveries are found by each of their properties', async t => {
  const one = await addEndpoint()
  const two = await addEndpoint({ client: 'client-2' })
  await store(['m-1'])
  await store(['m-2'], 'client-1', 'monitor-app')
  await kill(one, 2)
  await sql(`INSERT INTO delivery (endpoint_id, fk_client_name, message_id, next_attempt_at, created_at)
             VALUES (${two}, 'client-2', 'x', now(), now() - interval '2 days')`)
  const found = async (over: Partial<DeliveryFilter>) =>
    (await deliveries.list({ ...EVERY, ...over }, 10)).map(({ id }) => id)
  t.same(await found({}), ['3', '2', '1'], 'the newest first')
  t.same(await found({ ids: ['2', '99'] }), ['2'])
  t.same(await found({ client: 'client-1' }), ['2', '1'])
  t.same(await found({ endpointId: two }), ['3'])
  t.same(await found({ eventType: 'monitor-app' }), ['2'])
  t.same(await found({ state: 'pending' }), ['3'])
  t.same(await found({ reason: 'endpoint-disabled' }), [])
  t.same(await found({ since: new Date(Date.now() - 86_400_000) }), ['2', '1'])
  t.same(await deliveries.count(EVERY), { pending: 1, dead: 2 })
  t.equal((await deliveries.list(EVERY, 1)).length, 1)
  t.match(await deliveries.ofEvents([{ clientId: 'client-1', messageId: 'm-2' }]), [
    { id: '2', eventType: 'monitor-app', endpointId: one }
  ])
})

t.test('the next attempt waits for the endpoint’s pause; an ordered one has no time', async t => {
  const plain = await addEndpoint()
  const ordered = await addEndpoint({ isOrdered: true })
  await sql(`INSERT INTO delivery (endpoint_id, fk_client_name, message_id, next_attempt_at, state, finished_at)
             VALUES (${plain}, 'client-1', 'a', '2100-01-01', 'pending', NULL),
                    (${plain}, 'client-1', 'b', '2100-01-03', 'pending', NULL),
                    (${ordered}, 'client-1', 'c', '-infinity', 'pending', NULL),
                    (${plain}, 'client-1', 'd', NULL, 'delivered', now())`)
  const next = async () =>
    (await deliveries.list(EVERY, 10)).map(
      ({ nextAttemptAt }) => nextAttemptAt?.getUTCDate() ?? null
    )
  t.same(await next(), [null, null, 3, 1])
  await sql(`UPDATE endpoint SET paused_until = '2100-01-02T12:00Z'`)
  t.same(await next(), [null, 2, 3, 2])
  await sql(`UPDATE endpoint SET paused_until = '2020-01-02'`)
  t.same(await next(), [null, null, 3, 1], 'a pause that is over')
})

t.test('attempts come in order; an endpoint’s last ones come newest first', async t => {
  const id = await addEndpoint()
  const other = await addEndpoint()
  await kill(id, 1)
  await sql(`INSERT INTO delivery (endpoint_id, fk_client_name, message_id, state, attempts,
                                   next_attempt_at, finished_at)
             VALUES (${id}, 'client-1', 'a', 'delivered', 1, NULL, now()),
                    (${id}, 'client-1', 'b', 'pending', 1, '2100-01-01', NULL),
                    (${other}, 'client-1', 'c', 'pending', 1, now(), NULL)`)
  await sql(`INSERT INTO delivery_attempt (delivery_id, attempt, started_at, duration_ms, status, error_class)
             SELECT d, a, '2026-01-01'::timestamptz + (10 * d + a) * interval '1 minute', 5, 500, NULL
             FROM (VALUES (1, 1), (1, 2), (2, 1), (3, 1), (4, 1)) v (d, a)`)
  t.same(
    (await deliveries.attempts(['2', '1'])).map(({ deliveryId, attempt }) => [deliveryId, attempt]),
    [
      ['1', 1],
      ['1', 2],
      ['2', 1]
    ]
  )
  t.same(
    (await deliveries.lastAttempts(id, 3)).map(({ deliveryId, attempt }) => [deliveryId, attempt]),
    [
      ['3', 1],
      ['2', 1],
      ['1', 2]
    ]
  )
})

t.test('a backfill makes each missing delivery once, in commit order', async t => {
  const id = await addEndpoint()
  await store(['z', 'y', 'x'])
  await store(['b', 'a'])
  await store(['other'], 'client-2')
  await store(['c'])
  await moveCursor()
  await sql(
    `INSERT INTO delivery (endpoint_id, fk_client_name, message_id, state, finished_at)
        VALUES (${id}, 'client-1', 'y', 'delivered', now())`
  )
  t.equal(await backfillAll(id, { isMade: false }), 5, 'counted')
  t.same(
    await column(`SELECT message_id FROM delivery WHERE state = 'pending'`),
    [],
    'and not made'
  )
  t.equal(await backfillAll(id, { maxRows: 10 }), 5)
  t.same(await column(`SELECT message_id FROM delivery WHERE state = 'pending' ORDER BY id`), [
    'x',
    'z',
    'a',
    'b',
    'c'
  ])
  t.equal(await backfillAll(id), 0)
  t.equal(await backfillAll(await addEndpoint({ isOrdered: true })), 6)
  t.same(
    await column(`SELECT DISTINCT next_attempt_at::text FROM delivery WHERE endpoint_id = 2`),
    ['-infinity']
  )
})

t.test('a backfill takes events of its time span and of the endpoint’s types', async t => {
  const id = await addEndpoint({ types: ['user-app', 'monitor-app'] })
  for (const [n, type] of ['user-app', 'monitor-app', 'transaction-app', 'user-app'].entries()) {
    await sql(
      `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message, received_at)
        VALUES ('client-1', $1, $2, '1', $3)`,
      [type, `e${n}`, new Date(Date.UTC(2026, 0, 1 + n))]
    )
  }
  await moveCursor()
  const made = async (over: Partial<BackfillPage>): Promise<unknown[]> => {
    await sql('TRUNCATE delivery')
    await backfillAll(id, over)
    return column('SELECT message_id FROM delivery ORDER BY id')
  }
  const day = (n: number): Date => new Date(Date.UTC(2026, 0, n))
  t.same(await made({}), ['e0', 'e1', 'e3'])
  t.same(await made({ since: day(2) }), ['e1', 'e3'], 'then or later')
  t.same(await made({ until: day(4) }), ['e0', 'e1'], 'before then')
  t.same(await made({ eventType: 'user-app' }), ['e0', 'e3'])
  t.same(await made({ since: day(9) }), [], 'nothing so late')
})

t.test('a backfill leaves events beyond the cursor to the sender', async t => {
  const id = await addEndpoint()
  await store(['a'])
  await moveCursor()
  await store(['b'])
  t.equal(await backfillAll(id), 1)
  t.same(await column('SELECT message_id FROM delivery'), ['a'])
})

t.test('few matches among many events are found, however short the page', async t => {
  const id = await addEndpoint()
  await store(
    Array.from({ length: 45_000 }, (_, n) => `m${n}`),
    'client-2'
  )
  await store(['late'])
  await moveCursor()
  t.equal(await backfillAll(id), 1)
})

t.test('a disabled endpoint is distinguished from one that lacks nothing', async t => {
  const id = await addEndpoint()
  await store(['a'])
  await moveCursor()
  await sql(`UPDATE endpoint SET state = 'disabled-by-failure', disabled_at = now()`)
  const after = await deliveries.placeBefore(new Date(0))
  const page = {
    endpointId: id,
    eventType: null,
    since: new Date(0),
    until: null,
    after,
    maxRows: 10,
    isMade: true
  }
  t.equal(await deliveries.backfill(page), null)
  t.equal(await deliveries.backfill({ ...page, endpointId: 999_999 }), null)
})

t.test('two backfills at once make each delivery once', async t => {
  const id = await addEndpoint()
  for (let n = 0; n < 20; n++) await store(Array.from({ length: 20 }, (_, m) => `${n}-${m}`))
  await moveCursor()
  const both = await Promise.all([backfillAll(id, { maxRows: 7 }), backfillAll(id, { maxRows: 7 })])
  t.equal(both[0] + both[1], 400)
  t.same(await column('SELECT count(*)::int FROM delivery'), [400])
})
