import { pathToFileURL } from 'node:url'
import type pg from 'pg'
import t from 'tap'
import { StoreError } from '../../../engine/intake/store.js'
import { migrate } from '../../../engine/postgres/migrate.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { until } from '../../../lab/testing/until.js'
import { migrateEvents } from './migrate.js'

const ALL = [
  '0001-message',
  '0002-rejection',
  '0003-event-schema',
  '0004-rejection-origin',
  '0005-event-schema-life-cycle',
  '0006-client-rules',
  '0007-client-reader',
  '0008-client-news',
  '0009-sender'
]
const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })

async function refusal(statement: string): Promise<string | undefined> {
  try {
    await pool.query(statement)
    return undefined
  } catch (error) {
    return (error as pg.DatabaseError).code
  }
}

t.test('of processes that start at once, one migrates and the others wait', async t => {
  const results = await Promise.all(
    Array.from({ length: 5 }, () => migrateEvents(connectionString))
  )
  t.same(
    results.map(({ applied }) => applied).filter(applied => applied.length > 0),
    [ALL]
  )
})

t.test('a connection that cannot begin is an error, not an endless wait', async t => {
  await t.rejects(migrateEvents(`${connectionString}?port=none`), {
    name: 'StoreError',
    fault: 'transient'
  })
})

t.test('the tables of the original keep its names, columns and seed rows', async t => {
  const columns = await pool.query<{ column_name: string }>(
    `SELECT column_name FROM information_schema.columns WHERE table_name = 'message' ORDER BY ordinal_position`
  )
  t.same(
    columns.rows.map(row => row.column_name),
    [
      'message_id',
      'message',
      'fk_event_type_name',
      'fk_client_name',
      'received_at',
      'tx',
      'event_schema_id'
    ]
  )
  const clients = await pool.query<{ name: string }>('SELECT name FROM client ORDER BY name')
  t.same(
    clients.rows.map(row => row.name),
    ['client-1', 'client-2', 'client-3']
  )
  const types = await pool.query<{ name: string }>('SELECT name FROM event_type ORDER BY name')
  t.same(
    types.rows.map(row => row.name),
    ['monitor-app', 'transaction-app', 'user-app']
  )
})

t.test('the database itself refuses rows that must not exist', async t => {
  const message = (id: string, client: string, type: string): string =>
    `INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name)
     VALUES (${id}, '{}', ${type}, ${client})`
  t.equal(await refusal(message(`'a'`, `'client-1'`, `'user-app'`)), undefined, 'a row is accepted')
  t.equal(await refusal(message(`'a'`, `'client-1'`, `'user-app'`)), '23505', 'not twice')
  t.equal(
    await refusal(message(`'a'`, `'client-2'`, `'user-app'`)),
    undefined,
    'the same id from another client is another row'
  )
  t.equal(await refusal(message(`'b'`, `'nobody'`, `'user-app'`)), '23503', 'an unknown client')
  t.equal(
    await refusal(message(`'b'`, `'client-1'`, `'nothing'`)),
    '23503',
    'an unknown event type'
  )
  t.equal(await refusal(message(`'b'`, 'NULL', `'user-app'`)), '23502', 'no client')
  t.equal(await refusal(message(`''`, `'client-1'`, `'user-app'`)), '23514', 'an empty id')
  t.equal(
    await refusal(message(`repeat('é', 127) || 'x'`, `'client-1'`, `'user-app'`)),
    undefined,
    'an id of 255 bytes'
  )
  t.equal(
    await refusal(message(`repeat('é', 128)`, `'client-1'`, `'user-app'`)),
    '23514',
    'an id of 256 bytes'
  )
  t.equal(
    await refusal(`DELETE FROM client WHERE name = 'client-1'`),
    '23503',
    'a client with events stays'
  )
  t.equal(
    await refusal(`INSERT INTO client (name) VALUES ('')`),
    '23514',
    'a client without a name'
  )
  t.equal(
    await refusal(
      `INSERT INTO rejection (queue_message_id, reason, violations, body, receive_count)
       VALUES ('q', 'bored', '[]', '', 1)`
    ),
    '23514',
    'a reason outside the closed set'
  )
})

t.test(
  'a schema has one row per version and at most one active, for a client or for all',
  async t => {
    const schema = (client: string, version: number, state: string): string =>
      `INSERT INTO event_schema (event_type, client, version, state, schema, hash)
       VALUES ('user-app', ${client}, ${version}, '${state}', '{}', 'h')`
    for (const client of ['NULL', `'client-1'`]) {
      t.equal(await refusal(schema(client, 1, 'retired')), undefined)
      t.equal(await refusal(schema(client, 1, 'shadow')), '23505', 'a version twice')
      t.equal(await refusal(schema(client, 2, 'active')), undefined)
      t.equal(await refusal(schema(client, 3, 'active')), '23505', 'a second active version')
      t.equal(await refusal(schema(client, 3, 'shadow')), undefined)
      t.equal(await refusal(schema(client, 4, 'asleep')), '23514', 'a state outside the closed set')
    }
  }
)

/** Everything that migrations create, except the order of the columns. */
async function describeTables(database: pg.Pool): Promise<readonly unknown[]> {
  const { rows } = await database.query<{ kind: string; what: string }>(`
    SELECT 'column' AS kind,
           concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) AS what
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2`)
  return rows
}

/**
 * Runs one migration by itself, as in a release in which its neighbours did not exist.
 */
async function runAlone(database: pg.Pool, name: string): Promise<void> {
  const { up } = (await import(`./migrations/${name}.ts`)) as {
    up: (pgm: { sql(text: string): void }) => void
  }
  const statements: string[] = []
  up({ sql: text => void statements.push(text) })
  for (const statement of statements) await database.query(statement)
  await database.query('INSERT INTO pgmigrations (name, run_on) VALUES ($1, now())', [name])
}

t.test('migrations that ran in any order lead to the same tables', async t => {
  const want = await describeTables(pool)
  const [life, rules, reader] = [
    '0005-event-schema-life-cycle',
    '0006-client-rules',
    '0007-client-reader'
  ]
  const rows: { had: readonly string[]; late: readonly string[] }[] = [
    { had: [], late: [] },
    { had: [life], late: [] },
    { had: [rules], late: [`${life} ran after ${rules}`] },
    { had: [reader], late: [`${life} ran after ${reader}`, `${rules} ran after ${reader}`] },
    { had: [reader, life], late: [`${rules} ran after ${reader}`] },
    { had: [reader, rules, life], late: [] }
  ]
  const old = await createTestDatabase(t, { isMigrated: false })
  for (const { had, late } of rows) {
    await old.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await old.pool.query(
      'CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)'
    )
    const before = [...ALL.slice(0, 4), ...had]
    for (const name of before) await runAlone(old.pool, name)
    const { applied, notes } = await migrateEvents(old.connectionString)
    t.same(
      applied,
      ALL.filter(name => !before.includes(name)),
      `had ${had.join()}`
    )
    t.same(
      notes,
      late.map(line => `${line}, which this database already had: they do not depend on each other`)
    )
    t.same(await describeTables(old.pool), want)
    t.same((await migrateEvents(old.connectionString)).applied, [], 'then it is up to date')
  }
})

t.test('a migration that fails says why and leaves the tables unchanged', async t => {
  const empty = await createTestDatabase(t, { isMigrated: false })
  await empty.pool.query('CREATE TABLE rejection ()')
  await t.rejects(migrateEvents(empty.connectionString), {
    name: 'StoreError',
    fault: 'schema',
    code: '42P07'
  })
  const { rows } = await empty.pool.query(
    `SELECT FROM information_schema.tables WHERE table_name IN ('client', 'message')`
  )
  t.equal(rows.length, 0)
  await empty.pool.query('DROP TABLE rejection')
  t.same(
    (await migrateEvents(empty.connectionString)).applied,
    ALL,
    'the next start finishes the work'
  )
})

t.test('a database that cannot be reached is a transient fault', async t => {
  const nobody = new URL(connectionString)
  nobody.port = '1'
  const error = await migrateEvents(nobody.href).then(
    () => null,
    (reason: unknown) => reason
  )
  t.ok(error instanceof StoreError)
  t.match(error, { fault: 'transient', code: 'ECONNREFUSED' })
})

t.test('two systems may have tables of the same name, each in its own SQL schema', async t => {
  const { connectionString: both, pool: tables } = await createTestDatabase(t)
  const dir = t.testdir({
    '0001-client.js':
      "export const down = false\nexport const up = pgm => pgm.sql('CREATE TABLE client (id int)')\n"
  })
  const tiny = { schema: 'tiny', dir: pathToFileURL(dir) }
  const [ofEvents, ofTiny] = await Promise.all([migrateEvents(both), migrate(both, tiny)])
  t.same([ofEvents.applied, ofTiny.applied], [[], ['0001-client']])
  const { rows } = await tables.query<{ schema: string; runs: string }>(
    `SELECT 'public' AS schema, count(*) AS runs FROM public.pgmigrations
     UNION ALL SELECT 'tiny', count(*) FROM tiny.pgmigrations`
  )
  t.same(Object.fromEntries(rows.map(({ schema, runs }) => [schema, Number(runs)])), {
    public: ALL.length,
    tiny: 1
  })
  t.equal((await tables.query('SELECT FROM public.client')).rowCount, 3)
  t.equal((await tables.query('SELECT FROM tiny.client')).rowCount, 0)
})

t.test('an old and a new version of the events system do not migrate at once', async t => {
  const holder = await pool.connect()
  t.teardown(() => holder.release())
  await holder.query('SELECT pg_advisory_lock(4720318552)')
  let isDone = false
  const work = migrateEvents(connectionString).then(() => (isDone = true))
  await until('the second one waits', async () => {
    const waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return (await pool.query(waiting)).rowCount === 1
  })
  t.notOk(isDone)
  await holder.query('SELECT pg_advisory_unlock(4720318552)')
  await work
})
