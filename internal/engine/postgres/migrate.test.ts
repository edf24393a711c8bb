import { pathToFileURL } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { until } from '../../lab/testing/until.js'
import { type Migrations, migrate } from './migrate.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })

/** A folder of migrations, each a single statement. */
function folder(t: Test, statements: Readonly<Record<string, string>>): URL {
  const files = Object.entries(statements).map(([name, sql]) => [
    `${name}.js`,
    `export const down = false\nexport const up = pgm => pgm.sql(${JSON.stringify(sql)})\n`
  ])
  const modules = Object.fromEntries(files) as Record<string, string>
  return pathToFileURL(t.testdir({ ...modules, '0001-item.js.map': '' }))
}

const ITEM = { '0001-item': 'CREATE TABLE item (id int)' }

const tablesOf = async (schema: string): Promise<readonly string[]> =>
  (
    await pool.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1',
      [schema]
    )
  ).rows.map(({ name }) => name)

t.test('a system’s tables are in its own schema, which is created if missing', async t => {
  const migrations = { schema: 'two words', dir: folder(t, ITEM) }
  t.same(await migrate(connectionString, migrations), { applied: ['0001-item'], notes: [] })
  t.same(await tablesOf('two words'), ['item', 'pgmigrations'])
  t.same(await tablesOf('public'), [])
  t.same((await migrate(connectionString, migrations)).applied, [], 'and then it is up to date')
})

t.test('two systems with equal table names are migrated side by side, each once', async t => {
  const one = { schema: 'one', dir: folder(t, ITEM) }
  const other = { schema: 'other', dir: one.dir }
  const results = await Promise.all(
    [one, other, one, other, one, other].map(system => migrate(connectionString, system))
  )
  t.same(
    results.map(({ applied }) => applied).filter(applied => applied.length > 0),
    [['0001-item'], ['0001-item']]
  )
  for (const { schema } of [one, other]) t.same(await tablesOf(schema), ['item', 'pgmigrations'])
})

t.test('a system waits only for its own lock, whose number never changes', async t => {
  const tiny: Migrations = { schema: 'tiny', dir: folder(t, ITEM) }
  const numbered: Migrations = { schema: null, lockId: 4_711, dir: tiny.dir }
  const holder = new pg.Client({ connectionString })
  await holder.connect()
  t.teardown(() => holder.end())
  const waiting = async (): Promise<boolean> =>
    (await pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
      .rowCount === 1
  for (const [held, other, lockId] of [
    [tiny, numbered, 172_728_106_264_406],
    [numbered, tiny, 4_711]
  ] as const) {
    await holder.query('SELECT pg_advisory_lock($1)', [lockId])
    let isDone = false
    const work = migrate(connectionString, held).then(() => (isDone = true))
    await until('it waits for the lock', waiting)
    await migrate(connectionString, other)
    t.notOk(isDone, `${held.schema} waits while the other one is done`)
    await holder.query('SELECT pg_advisory_unlock($1)', [lockId])
    await work
  }
  t.same(await tablesOf('tiny'), ['item', 'pgmigrations'])
  t.same(await tablesOf('public'), ['item', 'pgmigrations'], 'where search_path leads')
})

t.test('a role that may not create schemas migrates one created for it', async t => {
  const role = 'event_migrator'
  await pool.query(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA made AUTHORIZATION ${role}`)
  t.teardown(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const asRole = new URL(connectionString)
  asRole.username = role
  const dir = folder(t, ITEM)
  t.same((await migrate(asRole.href, { schema: 'made', dir })).applied, ['0001-item'])
  await t.rejects(migrate(asRole.href, { schema: 'unmade', dir }), {
    name: 'StoreError',
    fault: 'schema',
    code: '42501'
  })
})

t.test('a migration runs even after one with a higher number, and is reported', async t => {
  const schema = 'late'
  const second = { '0002-second': 'CREATE TABLE second ()' }
  await migrate(connectionString, { schema, dir: folder(t, second) })
  const { applied, notes } = await migrate(connectionString, {
    schema,
    dir: folder(t, { '0001-first': 'CREATE TABLE first ()', ...second })
  })
  t.same(applied, ['0001-first'])
  t.match(notes, [/^0001-first ran after 0002-second, which this database already had/])
})

t.test('when one migration fails, none of the pending ones has run', async t => {
  const broken = { ...ITEM, '0002-broken': 'SELECT nothing' }
  await t.rejects(migrate(connectionString, { schema: 'broken', dir: folder(t, broken) }), {
    name: 'StoreError',
    fault: 'schema'
  })
  t.same(await tablesOf('broken'), ['pgmigrations'])
})
