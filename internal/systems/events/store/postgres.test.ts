/**
 * What only a real server can show: locks between sessions, lost connections, and servers
 * that are not as they should be.
 */
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Store } from '../../../engine/intake/store.js'
import type { Entry } from '../../../engine/message/message.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { insert, refused, valid } from '../../../lab/testing/store-entries.js'
import { until } from '../../../lab/testing/until.js'
import { migrateEvents } from './migrate.js'
import { createPostgresStore, type PostgresStoreOptions } from './postgres.js'

const { connectionString, pool } = await createTestDatabase(t)

t.beforeEach(() => pool.query('TRUNCATE message, rejection'))

function createStore(t: Test, over: Partial<PostgresStoreOptions> = {}): Store {
  const limits = {
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000
  }
  const store = createPostgresStore({ connectionString, ...limits, ...over })
  t.teardown(() => store.close())
  return store
}

async function countMessages(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int FROM message')
  return rows[0]!.count
}

/** Waits until `count` of the store's sessions wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  await until(`${count} sessions wait for a lock`, async () => {
    const { rows } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'event-process store' AND wait_event_type = 'Lock'`
    )
    return rows.length >= count
  })
}

/** Ends the store's sessions the way an administrator or a failover does. */
async function endSessions(): Promise<void> {
  await pool.query(
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'event-process store'`
  )
}

/** The error that `promise` must end with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    value => Promise.reject(new Error(`expected a failure, got ${JSON.stringify(value)}`)),
    (error: unknown) => error
  )
}

/**
 * A TCP proxy before the server that can fall silent: what either side sends from then on
 * is lost, and no connection ends.
 */
async function createProxy(
  t: Test
): Promise<{ connectionString: string; silence(): void; cutAfterCommit(): void; heal(): void }> {
  const target = new URL(connectionString)
  let isSilent = false
  let isCutting = false
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname)
    let isCommitSent = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', data => {
      isCommitSent ||= isCutting && data.includes('COMMIT\0')
      if (!isSilent) upstream.write(data)
    })
    upstream.on('data', data => {
      if (isCommitSent) client.destroy()
      else if (!isSilent) client.write(data)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  const address = server.address()
  const own = new URL(connectionString)
  own.host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`
  return {
    connectionString: own.href,
    silence: () => void (isSilent = true),
    cutAfterCommit: () => void (isCutting = true),
    heal: () => void (isSilent = isCutting = false)
  }
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed
  const random = (): number =>
    (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
  return items
    .map(item => [random(), item] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item)
}

t.test('batches that share keys in different orders never deadlock', async t => {
  const stores = [createStore(t), createStore(t)]
  for (let round = 0; round < 16; round++) {
    // Apart, because batches that wait for each other's events reach their rejections one
    // after the other.
    const entry = (n: number): Entry =>
      round % 2 === 0
        ? valid({ messageId: `${round}-${n}` })
        : refused({}, { queueId: `${round}-${n}` })
    const entries = Array.from({ length: 300 }, (_, n) => entry(n))
    const results = await Promise.all(
      stores.map((store, n) => insert(store, ...shuffled(entries, 7 * round + n)))
    )
    const duplicates = results.flat().filter(disposition => disposition === 'duplicate')
    t.equal(duplicates.length, 300, 'each entry is new for one of the two')
  }
})

t.test(
  'a client deleted while a batch waits for it is an unknown client, and the others are stored',
  async t => {
    const store = createStore(t)
    await pool.query(`INSERT INTO client VALUES ('doomed')`)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`DELETE FROM client WHERE name = 'doomed'`)
    const inserted = insert(
      store,
      valid({ clientId: 'doomed', messageId: 'a' }),
      valid({ messageId: 'b' })
    )
    await untilWaiting(1)
    await other.query('COMMIT')
    other.release()
    t.same(await inserted, ['unknown-client', 'stored'])
  }
)

t.test('a client cannot be deleted under a batch that is about to commit', async t => {
  const store = createStore(t)
  await pool.query(`INSERT INTO client VALUES ('kept')`)
  let deletion: Promise<unknown> = Promise.resolve()
  await store.insert([valid({ clientId: 'kept' })], async () => {
    deletion = failure(pool.query(`DELETE FROM client WHERE name = 'kept'`))
    for (let isWaiting = false; !isWaiting; ) {
      const { rows } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE query LIKE 'DELETE FROM client%' AND wait_event_type = 'Lock'`
      )
      isWaiting = rows.length === 1
    }
  })
  t.match(await deletion, { code: '23503' })
})

t.test(
  'an event that another session is just committing is recognised, not stored twice and not taken for a conflict',
  async t => {
    const [one, two] = [createStore(t), createStore(t)]
    let late: Promise<unknown> = Promise.resolve()
    await one.insert(
      [valid({ messageId: 'a', payload: '1' }), valid({ messageId: 'b', payload: '1' })],
      async () => {
        late = insert(
          two,
          valid({ messageId: 'a', payload: '1' }),
          valid({ messageId: 'b', payload: '2' })
        )
        await untilWaiting(1)
      }
    )
    t.same(await late, ['duplicate', 'conflict'])
  }
)

t.test(
  'a stored row that vanishes under its duplicate is a transient fault, so that the event is written again',
  async t => {
    const store = createStore(t)
    await insert(store, valid())
    await pool.query(`
    CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM message; RETURN NULL; END';
    CREATE TRIGGER vanish AFTER INSERT ON message FOR EACH STATEMENT EXECUTE FUNCTION vanish()`)
    t.teardown(() => pool.query('DROP FUNCTION vanish CASCADE'))
    t.match(await failure(insert(store, valid())), { fault: 'transient', code: '40001' })
  }
)

t.test('a transaction that is under way is neither committed nor not', async t => {
  const store = createStore(t)
  let tx = ''
  await store.insert([valid()], async prepared => {
    tx = prepared.tx
    t.match(await failure(store.wasCommitted(tx)), { fault: 'transient' })
  })
  t.equal(await store.wasCommitted(tx), true)
})

t.test(
  'a transaction id that the server gave to another transaction after a failover proves nothing',
  async t => {
    const store = createStore(t)
    const tokens: string[] = []
    for (const messageId of ['ours', 'theirs'])
      await store.insert([valid({ messageId })], async ({ tx }) => void tokens.push(tx))
    const [ours, theirs] = tokens.map(token => JSON.parse(token) as string[])
    t.equal(
      await store.wasCommitted(JSON.stringify([theirs![0], ...ours!.slice(1)])),
      false,
      'committed, but not with our row'
    )
    t.equal(
      await store.wasCommitted(JSON.stringify(['999999999999', ...ours!.slice(1)])),
      false,
      'not given out yet'
    )
    t.equal(
      await store.wasCommitted(JSON.stringify(['3', ...ours!.slice(1)])),
      false,
      'older than the server remembers'
    )
    t.equal(await store.wasCommitted(tokens[0]!), true)
    await t.rejects(store.wasCommitted('nonsense'), RangeError)
  }
)

t.test(
  'a lost answer to COMMIT is a transient fault, and the transaction can be asked for',
  async t => {
    const proxy = await createProxy(t)
    const store = createStore(t, { connectionString: proxy.connectionString })
    let tx = ''
    const lost = store.insert([valid()], async prepared => {
      tx = prepared.tx
      proxy.cutAfterCommit()
    })
    t.match(await failure(lost), { name: 'StoreError', fault: 'transient', code: 'ECONNRESET' })
    proxy.heal()
    t.equal(await store.wasCommitted(tx), true)
    t.same(await insert(store, valid()), ['duplicate'], 'the next batch gets a new connection')
  }
)

t.test('a connection that goes silent is given up at the deadline and replaced', async t => {
  const proxy = await createProxy(t)
  const store = createStore(t, { connectionString: proxy.connectionString, queryDeadlineMs: 200 })
  await store.probe()
  proxy.silence()
  t.match(await failure(insert(store, valid())), { fault: 'transient', code: 'ETIMEDOUT' })
  t.match(
    await failure(store.probe()),
    { fault: 'transient', code: 'ETIMEDOUT' },
    'a new connection has the same deadline'
  )
  proxy.heal()
  t.same(await insert(store, valid()), ['stored'])
})

t.test('after closing, a server that is gone silent does not keep the process alive', async t => {
  const proxy = await createProxy(t)
  const store = createStore(t, { connectionString: proxy.connectionString })
  const socketsInUse = (): number =>
    process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
  await store.probe()
  proxy.silence()
  const before = socketsInUse()
  await store.close()
  t.equal(socketsInUse(), before - 1)
})

t.test('a session that the server ends while it is idle is told of and replaced', async t => {
  let tell: (error: unknown) => void = () => undefined
  const told = new Promise(resolve => (tell = resolve))
  const store = createStore(t, { onIdleError: error => tell(error) })
  await store.probe()
  await endSessions()
  t.match(await told, { name: 'StoreError', fault: 'transient', code: '57P01' })
  t.same(await insert(store, valid()), ['stored'])
})

t.test('a session that the server ends before COMMIT leaves nothing behind', async t => {
  const store = createStore(t)
  let tx = ''
  const ended = store.insert([valid()], async prepared => {
    tx = prepared.tx
    await endSessions()
  })
  t.match(await failure(ended), { name: 'StoreError', fault: 'transient' })
  t.equal(await store.wasCommitted(tx), false)
  t.equal(await countMessages(), 0)
  t.same(await insert(store, valid()), ['stored'])
})

t.test('a lock, a long statement and a forgotten transaction end at their limits', async t => {
  const other = await pool.connect()
  t.teardown(() => other.release(true))
  await other.query('BEGIN; LOCK TABLE message IN ACCESS EXCLUSIVE MODE')
  t.match(await failure(insert(createStore(t, { lockTimeoutMs: 20 }), valid())), {
    fault: 'transient',
    code: '55P03'
  })
  t.match(await failure(insert(createStore(t, { statementTimeoutMs: 20 }), valid())), {
    fault: 'transient',
    code: '57014'
  })
  await other.query('ROLLBACK')
  const forgetful = createStore(t, { idleInTransactionTimeoutMs: 20 })
  const untilEnded = async (): Promise<void> => {
    const query = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`
    await until(
      'the server has ended the session',
      async () => (await pool.query(query)).rows.length === 0
    )
  }
  t.match(await failure(forgetful.insert([valid()], untilEnded)), { fault: 'transient' })
  t.equal(await countMessages(), 0)
})

t.test('a server that cannot be reached or takes no writes is a transient fault', async t => {
  const nobody = new URL(connectionString)
  nobody.port = '1'
  t.match(await failure(createStore(t, { connectionString: nobody.href }).probe()), {
    fault: 'transient',
    code: 'ECONNREFUSED'
  })
  const standby = new URL(connectionString)
  standby.searchParams.set('options', '-c default_transaction_read_only=on')
  const store = createStore(t, { connectionString: standby.href })
  t.match(await failure(store.probe()), { fault: 'transient', code: '25006' })
  t.match(await failure(insert(store, valid())), { fault: 'transient', code: '25006' })
})

t.test('tables that are not as expected, or not ours to write, are a schema fault', async t => {
  const store = createStore(t)
  await pool.query('ALTER TABLE rejection RENAME COLUMN violations TO detail')
  t.match(await failure(store.probe()), { fault: 'schema', code: '42703' })
  await pool.query('ALTER TABLE rejection RENAME COLUMN detail TO violations')
  await store.probe()

  const role = `reader_${new URL(connectionString).pathname.slice(1)}`
  await pool.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT ON message TO ${role}`)
  t.teardown(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const reader = new URL(connectionString)
  reader.username = role
  reader.password = ''
  t.match(await failure(createStore(t, { connectionString: reader.href }).probe()), {
    fault: 'schema'
  })

  const nowhere = new URL(connectionString)
  nowhere.pathname = '/event_process_no_such_database'
  t.match(await failure(createStore(t, { connectionString: nowhere.href }).probe()), {
    fault: 'schema',
    code: '3D000'
  })
})

t.test('a database that is not in UTF-8 is a schema fault before it can spoil a text', async t => {
  const url = new URL(connectionString)
  const name = `${url.pathname.slice(1)}_ascii`
  await pool.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`)
  t.teardown(() => pool.query(`DROP DATABASE ${name} WITH (FORCE)`))
  url.pathname = `/${name}`
  await migrateEvents(url.href)
  const store = createStore(t, { connectionString: url.href })
  t.match(await failure(store.probe()), { fault: 'schema', code: '22P05' })
})

t.test('an event row is what a person reads with SQL', async t => {
  const store = createStore(t)
  await insert(store, valid({ messageId: 'order-1', payload: '{"n": 1.10}' }))
  const { rows } = await pool.query<{ n: string; text: string; age: number; isOurs: boolean }>(
    `SELECT message ->> 'n' AS n, message::text AS text, extract(epoch FROM now() - received_at)::int AS age,
            pg_xact_status(tx) = 'committed' AS "isOurs"
     FROM message WHERE fk_client_name = 'client-1' AND message_id = 'order-1'`
  )
  t.same(rows, [{ n: '1.10', text: '{"n": 1.10}', age: 0, isOurs: true }])
})
