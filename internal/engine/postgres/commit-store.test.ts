/**
 * Tests of the store that need a real server, whatever the system: lost connections and
 * answers, and servers that are not as they should be. They use the tiny system.
 */
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { insert, makeEntry } from '../../lab/testing/store-entries.js'
import type { Reading } from '../../lab/testing/tiny-system/reading.js'
import {
  CREATE_READING_TABLES,
  createReadingStore
} from '../../lab/testing/tiny-system/reading-store.js'
import { until } from '../../lab/testing/until.js'
import type { Store } from '../intake/store.js'
import type { Entry } from '../message/message.js'
import type { CommitStoreOptions } from './commit-store.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
await pool.query(CREATE_READING_TABLES)

t.beforeEach(() => pool.query('TRUNCATE tiny.reading, tiny.rejection'))

function createStore(t: Test, over: Partial<CommitStoreOptions> = {}): Store<Reading> {
  const store = createReadingStore({
    connectionString,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false,
    ...over
  })
  t.teardown(() => store.close())
  return store
}

const valid = (id = 'a'): Entry<Reading> =>
  makeEntry({ kind: 'valid', item: { meter: 'kitchen', id, value: 1 } }, { queueId: `queue-${id}` })

async function countReadings(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int FROM tiny.reading')
  return rows[0]!.count
}

/** Ends the store's sessions the way an administrator or a failover does. */
async function endSessions(): Promise<void> {
  await pool.query(
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'tiny store'`
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
 * A TCP proxy in front of the server that can go silent: from then on it drops what
 * either side sends, and ends no connection.
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

t.test('while a transaction is under way, nobody can say whether it has committed', async t => {
  const store = createStore(t)
  const { tx, commit } = await store.prepare([valid()])
  t.match(await failure(store.wasCommitted(tx)), { fault: 'transient' })
  await commit()
  t.equal(await store.wasCommitted(tx), true)
})

t.test('a transaction id that was reused after a failover proves nothing', async t => {
  const store = createStore(t)
  const tokens: string[] = []
  for (const id of ['ours', 'theirs']) {
    const { tx, commit } = await store.prepare([valid(id)])
    await commit()
    tokens.push(tx)
  }
  const [ours, theirs] = tokens.map(token => JSON.parse(token) as string[])
  const withId = (xid: string): string => JSON.stringify([xid, ...ours!.slice(1)])
  const rows = [
    { why: 'committed, but not with our row', xid: theirs![0]! },
    { why: 'not given out yet', xid: '999999999999' },
    { why: 'older than the server remembers', xid: '3' }
  ]
  for (const { why, xid } of rows) t.equal(await store.wasCommitted(withId(xid)), false, why)
  t.equal(await store.wasCommitted(tokens[0]!), true)
  await t.rejects(store.wasCommitted('nonsense'), RangeError)
})

t.test(
  'a lost COMMIT answer is a transient fault, and the database can be asked for it',
  async t => {
    const proxy = await createProxy(t)
    const store = createStore(t, { connectionString: proxy.connectionString })
    const { tx, commit } = await store.prepare([valid()])
    proxy.cutAfterCommit()
    t.match(await failure(commit()), { name: 'StoreError', fault: 'transient', code: 'ECONNRESET' })
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

t.test('after closing, a server that has gone silent does not keep the process alive', async t => {
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

t.test('a session that the server ends while it is idle is replaced', async t => {
  const store = createStore(t)
  await store.probe()
  await endSessions()
  await until('the next batch is written', () =>
    insert(store, valid()).then(
      () => true,
      () => false
    )
  )
  t.equal(await countReadings(), 1)
})

t.test('a session that the server ends before COMMIT leaves nothing behind', async t => {
  const store = createStore(t)
  const { tx, commit } = await store.prepare([valid()])
  await endSessions()
  t.match(await failure(commit()), { name: 'StoreError', fault: 'transient' })
  t.equal(await store.wasCommitted(tx), false)
  t.equal(await countReadings(), 0)
  t.same(await insert(store, valid()), ['stored'])
})

t.test('a rollback over a lost connection does not fail', async t => {
  const store = createStore(t)
  const { tx, rollBack } = await store.prepare([valid()])
  await endSessions()
  await rollBack()
  t.equal(await store.wasCommitted(tx), false)
  t.same(await insert(store, valid()), ['stored'])
})

t.test('a connection is kept after a row that cannot be stored', async t => {
  const store = createStore(t)
  await store.probe()
  const sessions = async () => {
    const { rows } = await pool.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tiny store' ORDER BY pid`
    )
    return rows
  }
  const before = await sessions()
  t.match(await failure(insert(store, valid('a\0'))), { fault: 'data' })
  t.same(await insert(store, valid()), ['stored'])
  t.same(await sessions(), before)
})

t.test('a lock, a long statement and a forgotten transaction end at their limits', async t => {
  const other = await pool.connect()
  t.teardown(() => other.release(true))
  await other.query('BEGIN; LOCK TABLE tiny.reading IN ACCESS EXCLUSIVE MODE')
  t.match(await failure(insert(createStore(t, { lockTimeoutMs: 20 }), valid())), {
    fault: 'transient',
    code: '55P03'
  })
  t.match(await failure(insert(createStore(t, { statementTimeoutMs: 20 }), valid())), {
    fault: 'transient',
    code: '57014'
  })
  await other.query('ROLLBACK')
  const { commit } = await createStore(t, { idleInTransactionTimeoutMs: 1_000 }).prepare([valid()])
  const query = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'`
  await until(
    'the server has ended the session',
    async () => (await pool.query(query)).rows.length === 0
  )
  t.match(await failure(commit()), { fault: 'transient' })
  t.equal(await countReadings(), 0)
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

t.test('tables that are not as expected are a schema fault', async t => {
  const store = createStore(t)
  await pool.query('ALTER TABLE tiny.rejection RENAME TO elsewhere')
  t.match(await failure(store.probe()), { fault: 'schema', code: '42P01' })
  await pool.query('ALTER TABLE tiny.elsewhere RENAME TO rejection')
  await store.probe()
})

t.test('a database that is not in UTF-8 is a schema fault before it can spoil a text', async t => {
  const url = new URL(connectionString)
  const name = `${url.pathname.slice(1)}_ascii`
  await pool.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`)
  t.teardown(() => pool.query(`DROP DATABASE ${name} WITH (FORCE)`))
  url.pathname = `/${name}`
  const store = createStore(t, { connectionString: url.href })
  t.match(await failure(store.probe()), { fault: 'schema', code: '22P05' })
})
