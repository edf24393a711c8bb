/**
 * Behaviour of the event store that only a real server can show: locks between sessions,
 * and wrong tables.
 */
import t, { type Test } from 'tap'
import type { Store } from '../../../engine/intake/store.js'
import type { CommitStoreOptions } from '../../../engine/postgres/commit-store.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { rejected, valid } from '../../../lab/testing/event-entries.js'
import { insert } from '../../../lab/testing/store-entries.js'
import { until } from '../../../lab/testing/until.js'
import type { EventEntry, EventRejection, ValidEvent } from '../event/event.js'
import { createEventStore } from './postgres.js'

const { connectionString, pool } = await createTestDatabase(t)

t.beforeEach(() => pool.query('TRUNCATE message, rejection'))

function createStore(
  t: Test,
  over: Partial<CommitStoreOptions> = {}
): Store<ValidEvent, EventRejection> {
  const limits = {
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false
  }
  const store = createEventStore({ connectionString, ...limits, ...over })
  t.teardown(() => store.close())
  return store
}

/** Waits until `count` of the store's sessions wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  await until(`${count} sessions wait for a lock`, async () => {
    const { rows } = await pool.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'event-process store'
         AND wait_event_type = 'Lock'`
    )
    return rows.length >= count
  })
}

/** The error that `promise` must end with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    value => Promise.reject(new Error(`expected a failure, got ${JSON.stringify(value)}`)),
    (error: unknown) => error
  )
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
    // Events and rejections in separate rounds: batches that wait for each other's events
    // reach their rejections one after the other.
    const entry = (n: number): EventEntry =>
      round % 2 === 0
        ? valid({ messageId: `${round}-${n}` })
        : rejected({}, { queueId: `${round}-${n}` })
    const entries = Array.from({ length: 300 }, (_, n) => entry(n))
    const results = await Promise.all(
      stores.map((store, n) => insert(store, ...shuffled(entries, 7 * round + n)))
    )
    const duplicates = results.flat().filter(disposition => disposition === 'duplicate')
    t.equal(duplicates.length, 300, 'each entry is new for one of the two')
  }
})

t.test(
  'a client deleted while a batch waits for it is unknown; other events are stored',
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
  const { commit } = await store.prepare([valid({ clientId: 'kept' })])
  const deletion = failure(pool.query(`DELETE FROM client WHERE name = 'kept'`))
  await until('the deletion waits', async () => {
    const { rows } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE query LIKE 'DELETE FROM client%' AND wait_event_type = 'Lock'`
    )
    return rows.length === 1
  })
  await commit()
  t.match(await deletion, { code: '23503' })
})

t.test('an event that another session is committing is a duplicate, not a second row', async t => {
  const [one, two] = [createStore(t), createStore(t)]
  const of = (messageId: string, payload: string) => valid({ messageId, payload })
  const { commit } = await one.prepare([of('a', '1'), of('b', '1')])
  const late = insert(two, of('a', '1'), of('b', '2'))
  await untilWaiting(1)
  await commit()
  t.same(await late, ['duplicate', 'conflict'])
})

t.test('if a row is deleted while its duplicate is written, the fault is transient', async t => {
  const store = createStore(t)
  await insert(store, valid())
  await pool.query(`
    CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM message; RETURN NULL; END';
    CREATE TRIGGER vanish AFTER INSERT ON message FOR EACH STATEMENT EXECUTE FUNCTION vanish()`)
  t.teardown(() => pool.query('DROP FUNCTION vanish CASCADE'))
  t.match(await failure(insert(store, valid())), { fault: 'transient', code: '40001' })
})

t.test('wrong tables, or tables that may not be written, are a schema fault', async t => {
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

t.test('people can read an event with SQL', async t => {
  const store = createStore(t)
  await insert(store, valid({ messageId: 'order-1', payload: '{"n": 1.10}' }))
  const { rows } = await pool.query<{ n: string; text: string; age: number; isOurs: boolean }>(
    `SELECT message ->> 'n' AS n, message::text AS text, extract(epoch FROM now() - received_at)::int AS age,
            pg_xact_status(tx) = 'committed' AS "isOurs"
     FROM message WHERE fk_client_name = 'client-1' AND message_id = 'order-1'`
  )
  t.same(rows, [{ n: '1.10', text: '{"n": 1.10}', age: 0, isOurs: true }])
})
