import fc from 'fast-check'
import pg from 'pg'
import t, { type Test } from 'tap'
import { until } from '../../../../lab/testing/until.js'
import { createWholeSender, type TestClient } from '../../../../lab/testing/whole-sender.js'
import { createPostgresDeliveries } from './postgres-deliveries.js'

const whole = await createWholeSender(t)
const { pool, connectionString, deliveries, lanes } = whole
const URL = 'https://recipient.example/events'
const PAGE = 10

interface Made {
  readonly endpointId: number
  readonly messageId: string
}

/** In the order in which they were made. */
async function made(client: TestClient): Promise<readonly Made[]> {
  const { rows } = await pool.query<Made>(
    'SELECT endpoint_id AS "endpointId", message_id AS "messageId" FROM delivery WHERE fk_client_name = $1 ORDER BY id',
    [client.name]
  )
  return rows
}

const idsFor = (all: readonly Made[], { id }: { readonly id: number }): readonly string[] =>
  all.filter(({ endpointId }) => endpointId === id).map(({ messageId }) => messageId)

/**
 * True once the cursor has passed everything committed. Other sessions of this server may
 * hold it back for a moment.
 */
async function isAllRead(): Promise<boolean> {
  await deliveries.fanOut(PAGE)
  const { rows } = await pool.query(
    `SELECT FROM message m, sender_cursor c
      WHERE (m.tx, m.fk_client_name, m.message_id) > (c.tx, c.fk_client_name, c.message_id) LIMIT 1`
  )
  return rows.length === 0
}
const readAll = (): Promise<void> => until('all is read', isAllRead)

/** A session of its own that keeps a transaction open. */
async function session(t: Test, database = connectionString): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database })
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  return client
}

const INSERT = `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
  SELECT $1, $2, id, '{}' FROM unnest($3::text[]) id`
const insert = (
  client: pg.ClientBase | pg.Pool,
  { name }: TestClient,
  ids: readonly string[],
  eventType = 'user-app'
) => client.query(INSERT, [name, eventType, ids])

t.test(
  'an earlier transaction that ends later is waited for, and its events come first',
  async t => {
    const client = await whole.addClient()
    const endpoint = await client.addEndpoint(URL)
    const early = await session(t)
    await early.query('BEGIN')
    await insert(early, client, ['a2'])
    await client.store('b1')
    await deliveries.fanOut(PAGE)
    t.same(idsFor(await made(client), endpoint), [], 'nothing is read past it')
    await insert(early, client, ['a1'])
    await early.query('COMMIT')
    await readAll()
    t.same(idsFor(await made(client), endpoint), ['a1', 'a2', 'b1'])
  }
)

t.test('a transaction still open when earlier ones are read is read once it ends', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  await client.store('a')
  const open = await session(t)
  await open.query('BEGIN')
  await insert(open, client, ['b'])
  await client.store('c')
  await until('the first is read', async () => {
    await deliveries.fanOut(PAGE)
    return (await made(client)).length > 0
  })
  t.same(idsFor(await made(client), endpoint), ['a'])
  await open.query('COMMIT')
  await readAll()
  t.same(idsFor(await made(client), endpoint), ['a', 'b', 'c'])
})

t.test('a transaction with a number but no rows yet is waited for too', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  const open = await session(t)
  await open.query('BEGIN')
  await open.query('SELECT pg_current_xact_id()')
  await client.store('b')
  await deliveries.fanOut(PAGE)
  await insert(open, client, ['a'])
  await deliveries.fanOut(PAGE)
  await open.query('COMMIT')
  await readAll()
  t.same(idsFor(await made(client), endpoint), ['a', 'b'])
})

t.test('a transaction with more events than a page is read over several pages', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  const ids = Array.from({ length: 2 * PAGE + 5 }, (_, n) => `e${String(n).padStart(3, '0')}`)
  await readAll()
  await client.store(...ids.toReversed())
  const pages: number[] = []
  await until('all is read', async () => {
    const page = await deliveries.fanOut(PAGE)
    if (page !== null && page.events > 0) pages.push(page.events)
    return (await made(client)).length >= ids.length
  })
  t.same(pages, [PAGE, PAGE, 5])
  t.same(idsFor(await made(client), endpoint), ids)
})

t.test('nothing waits for a transaction that was rolled back', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  const other = await session(t)
  await other.query('BEGIN')
  await insert(other, client, ['never'])
  await client.store('a')
  await other.query('ROLLBACK')
  await readAll()
  t.same(idsFor(await made(client), endpoint), ['a'])
})

t.test('a transaction in another database delays events until it ends and loses none', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  const { pathname } = new globalThis.URL(connectionString)
  const other = await session(t, connectionString.replace(pathname, '/postgres'))
  await other.query('BEGIN')
  await other.query('SELECT pg_current_xact_id()')
  await client.store('a')
  await deliveries.fanOut(PAGE)
  t.same(await made(client), [])
  await other.query('ROLLBACK')
  await readAll()
  t.same(idsFor(await made(client), endpoint), ['a'])
})

t.test('an enabled endpoint gets its own client’s events of its own types', async t => {
  const [mine, others] = [await whole.addClient(), await whole.addClient()]
  const all = await mine.addEndpoint(URL)
  const second = await mine.addEndpoint(URL)
  const some = await mine.addEndpoint(URL, {
    eventTypes: ['monitor-app', 'a-type-that-comes-later']
  })
  const disabled = await mine.addEndpoint(URL)
  await pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE id = $1`,
    [disabled.id]
  )
  const foreign = await others.addEndpoint(URL)
  await insert(pool, mine, ['user'], 'user-app')
  await insert(pool, mine, ['monitor'], 'monitor-app')
  await insert(pool, others, ['user'], 'user-app')
  await pool.query(`INSERT INTO event_type (name) VALUES ('a-type-that-comes-later')`)
  await insert(pool, mine, ['later'], 'a-type-that-comes-later')
  await readAll()
  const rows = await made(mine)
  t.same(idsFor(rows, all), ['user', 'monitor', 'later'])
  t.same(idsFor(rows, second), ['user', 'monitor', 'later'])
  t.same(idsFor(rows, some), ['monitor', 'later'])
  t.equal(rows.length, 8, 'no other endpoint gets any')
  t.same(
    idsFor(await made(others), foreign),
    ['user'],
    'the same id of another client is another event'
  )
})

t.test('a new endpoint gets events read from then on', async t => {
  const client = await whole.addClient()
  const first = await client.addEndpoint(URL)
  await readAll()
  await client.store(
    ...Array.from({ length: PAGE + 2 }, (_, n) => `e${String(n).padStart(2, '0')}`)
  )
  await until(
    'the first page is read',
    async () => ((await deliveries.fanOut(PAGE))?.events ?? 0) > 0
  )
  const second = await client.addEndpoint(URL)
  await readAll()
  const rows = await made(client)
  t.equal(idsFor(rows, first).length, PAGE + 2)
  t.same(idsFor(rows, second), ['e10', 'e11'])
})

t.test('an ordered endpoint’s deliveries are due in commit order, not by id or time', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL, { isOrdered: true })
  await client.store('z')
  await client.store('a')
  await pool.query(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message, received_at)
        VALUES ($1, $2, $3, $4, $5)`,
    [client.name, 'user-app', 'm', '{}', '2001-01-01']
  )
  await readAll()
  t.same(
    (await deliveries.due(endpoint.id, 10, [])).map(d => d.messageId),
    ['z', 'a', 'm']
  )
})

t.test('while one process reads, the others return at once', async t => {
  const reading = await session(t)
  await reading.query('BEGIN')
  await reading.query('SELECT FROM sender_cursor FOR UPDATE')
  t.equal(await deliveries.fanOut(PAGE), null)
  await reading.query('ROLLBACK')
  t.not(await deliveries.fanOut(PAGE), null)
})

/** Connections whose session the server may end just before a statement. */
function createVictims(t: Test, shallEnd: (statement: number) => boolean): pg.Pool {
  const victims = new pg.Pool({ connectionString, max: 4 })
  victims.on('error', () => undefined)
  victims.on('connect', client => {
    client.on('error', () => undefined)
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
    let statement = 0
    const queryUnlessEnded = async (...args: unknown[]): Promise<unknown> => {
      statement += 1
      if (shallEnd(statement)) {
        const gone = new Promise(resolve => client.once('end', resolve))
        await pool.query('SELECT pg_terminate_backend($1)', [
          (client as { processID?: number }).processID
        ])
        await gone
      }
      return query(...args)
    }
    Object.assign(client, { query: queryUnlessEnded })
  })
  t.teardown(() => victims.end())
  return victims
}

t.test('a session that ends before any statement leaves all of its page or nothing', async t => {
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  const statements = ['BEGIN', 'plan', 'fan-out', 'notes', 'COMMIT']
  for (const [n, name] of statements.entries()) {
    await readAll()
    await lanes.claim(1_000)
    const before = (await made(client)).length
    await client.store(`before ${name}`)
    let isEnded = false
    const victims = createVictims(t, statement => statement === n + 1 && (isEnded = true))
    const victim = createPostgresDeliveries(victims, lanes.wake)
    // Until there is something to read, no lane is woken.
    await until(`a session ends before ${name}`, async () => {
      await victim.fanOut(PAGE).catch(() => undefined)
      return isEnded
    })
    t.equal((await made(client)).length, before, name)
    await readAll()
    t.equal((await made(client)).length, before + 1, name)
  }
  t.equal(new Set(idsFor(await made(client), endpoint)).size, statements.length)
})

t.test(
  'concurrent processes with dying sessions make one delivery per event and endpoint',
  async t => {
    const client = await whole.addClient()
    const endpoints = [await client.addEndpoint(URL), await client.addEndpoint(URL)]
    let random = 7
    // A small generator of its own, so that sessions end at the same places in each run.
    const dice = (): number => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647
    let ends = 0
    const victims = createVictims(t, () => dice() < 0.1 && ++ends > 0)
    const victim = createPostgresDeliveries(victims, lanes.wake)
    const ids = Array.from({ length: 60 }, (_, n) => `e${n}`)
    let isStored = false
    const store = async (): Promise<void> => {
      for (const id of ids) await client.store(id)
      isStored = true
    }
    const read = async (): Promise<void> => {
      while (!isStored) await victim.fanOut(3).catch(() => undefined)
    }
    await Promise.all([store(), read(), read(), read()])
    await readAll()
    t.ok(ends > 0, 'some sessions were ended')
    const rows = await made(client)
    for (const endpoint of endpoints) t.same(idsFor(rows, endpoint).toSorted(), ids.toSorted())
  }
)

type Step =
  | { readonly kind: 'begin' | 'commit' | 'rollback'; readonly writer: number }
  | { readonly kind: 'insert'; readonly writer: number; readonly count: number }
  | { readonly kind: 'read'; readonly page: number; readonly isEnded: boolean }

const WRITERS = 3
const writer = fc.nat(WRITERS - 1)
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('begin' as const), writer }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const),
        writer
      })
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('insert' as const),
        writer,
        count: fc.integer({ min: 1, max: 4 })
      })
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        page: fc.integer({ min: 1, max: 4 }),
        isEnded: fc.boolean()
      })
    }
  ),
  { minLength: 10, maxLength: 40 }
)

t.test('any interleaving gives one delivery per event and endpoint, in commit order', async t => {
  const sessions = await Promise.all(Array.from({ length: WRITERS }, () => session(t)))
  const client = await whole.addClient()
  const endpoint = await client.addEndpoint(URL)
  let shallEnd = false
  const victim = createPostgresDeliveries(
    createVictims(t, () => shallEnd),
    lanes.wake
  )
  let events = 0
  const run = async (schedule: readonly Step[]): Promise<void> => {
    const open = new Set<number>()
    const end = async (n: number, how: string): Promise<void> => {
      if (open.delete(n)) await sessions[n]!.query(how)
    }
    for (const step of schedule) {
      if (step.kind === 'read') {
        shallEnd = step.isEnded
        await victim.fanOut(step.page).catch(() => undefined)
      } else if (step.kind === 'begin') {
        await end(step.writer, 'COMMIT')
        open.add(step.writer)
        await sessions[step.writer]!.query('BEGIN')
      } else if (step.kind === 'insert') {
        // Ids whose order says nothing.
        const ids = Array.from(
          { length: step.count },
          () => `${(events * 7_919) % 1_000} ${events++}`
        )
        await insert(sessions[step.writer]!, client, ids)
      } else await end(step.writer, step.kind)
    }
    for (const n of [...open]) await end(n, 'COMMIT')
    shallEnd = false
    await readAll()
    const { rows } = await pool.query<{ message_id: string }>(
      'SELECT message_id FROM message WHERE fk_client_name = $1 ORDER BY tx, fk_client_name, message_id',
      [client.name]
    )
    const wanted = rows.map(row => row.message_id)
    const got = idsFor(await made(client), endpoint)
    if (JSON.stringify(got) !== JSON.stringify(wanted))
      throw new Error(`wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`)
    await pool.query('DELETE FROM delivery WHERE endpoint_id = $1', [endpoint.id])
    await pool.query('DELETE FROM message WHERE fk_client_name = $1', [client.name])
  }
  await fc.assert(fc.asyncProperty(steps, run), { numRuns: 40, seed: 1 })
  t.ok(events > 0)
})
