/** deployments/roles.sql: the programs work with its roles, and each role may do nothing that its program does not do. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { type Run, runAdmin } from '../testing/admin-program.js'
import { createTestDatabase } from '../testing/database.js'
import { sendBodies, serviceEnvironment, startProcessor, startProgram, temporaryDirectory } from '../testing/programs.js'
import { runSqlFile } from '../testing/sql-file.js'
import { startTestSqs } from '../testing/sqs.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
// Roles belong to the whole server: they must be gone before the database can be dropped.
t.teardown(async () => {
  await pool.query('DROP OWNED BY event_process_processor, event_process_admin, event_process_migrate CASCADE')
  await pool.query('DROP ROLE event_process_processor, event_process_admin, event_process_migrate')
})

const PASSWORD = 'a password of the test'

const applyRoles = (): Promise<void> =>
  runSqlFile(pool, 'roles.sql', {
    migrate_password: PASSWORD,
    processor_password: PASSWORD,
    sender_password: PASSWORD,
    admin_password: PASSWORD
  })

function as(role: 'migrate' | 'processor' | 'admin'): string {
  const url = new URL(connectionString)
  url.username = `event_process_${role}`
  url.password = PASSWORD
  return url.href
}

const event = (over: object = {}): string =>
  JSON.stringify({ event_type: 'monitor-app', client_id: 'client-1', message: { cpu: 20 }, ...over })

await t.test('tables migrated by one role, a load processed under the other', async t => {
  await applyRoles()
  const emulator = await startTestSqs(t)
  const migrated = startProgram(t, 'migrate', serviceEnvironment(as('migrate'), emulator))
  t.equal(await migrated.exited, 0, migrated.output)
  await applyRoles()
  await applyRoles()

  const processor = await startProcessor(t, { ...serviceEnvironment(as('processor'), emulator), WORKERS: '2', VISIBILITY_TIMEOUT_S: '2' })
  const bodies = Array.from({ length: 1_000 }, (_, n) => event({ event_id: `id-${n % 900}` }))
  const bad = [
    'not json',
    '[]',
    '{}',
    event({ client_id: 'nobody' }),
    event({ event_type: 'nothing' }),
    event({ event_id: 'id-0', message: 'x' })
  ]
  await sendBodies(emulator, [...bodies, ...bad])
  process.kill(processor.workerPids[0] ?? 0, 'SIGKILL')
  const admin = new pg.Client({ connectionString: as('admin') })
  await admin.connect()
  await admin.query(`UPDATE client SET weight = 2, max_events_per_s = 1e6, over_quota = 'reject' WHERE name = 'client-1'`)
  await admin.end()
  await processor.program.until('all are settled', () => {
    const { ready = [], inflight = [] } = emulator.server.inspectQueue('events')?.messages ?? {}
    return ready.length === 0 && inflight.length === 0
  })
  await processor.program.until('the quota is in force', () => {
    return processor.program.log.some(line => line['msg'] === 'weights and quotas in force' && line['clients'] === 1)
  })
  t.equal(await processor.program.end(), 0)
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM event_process.message) AS stored,
            (SELECT string_agg(reason, ' ' ORDER BY reason) FROM event_process.rejection) AS rejected`
  )
  t.same(rows, [{ stored: 900, rejected: 'conflict missing-field not-an-object not-json unknown-client unknown-event-type' }])
  t.notMatch(processor.program.output, 'permission denied')
})

await t.test('the processor’s role can neither change nor delete rows, nor the tables, nor read or become what is not its own', async t => {
  const migrate = new pg.Client({ connectionString: as('migrate') })
  await migrate.connect()
  await migrate.query('CREATE TABLE other AS SELECT 1 AS secret')
  await migrate.end()
  const client = new pg.Client({ connectionString: as('processor') })
  await client.connect()
  t.teardown(() => client.end())
  const denied = [
    ...['message', 'rejection', 'client', 'event_type', 'event_schema', 'pgmigrations'].flatMap(table => [
      `DROP TABLE ${table} CASCADE`,
      `TRUNCATE ${table} CASCADE`,
      `DELETE FROM ${table}`,
      `ALTER TABLE ${table} ADD COLUMN more text`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
      `CREATE INDEX ON ${table} ((1))`,
      `BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`
    ]),
    `UPDATE message SET message = '{}'`,
    `UPDATE message SET message_id = 'x'`,
    'UPDATE rejection SET redriven_at = now()',
    `UPDATE event_schema SET state = 'retired'`,
    `UPDATE pgmigrations SET name = 'x'`,
    `INSERT INTO client (name) VALUES ('intruder')`,
    `INSERT INTO event_type (name) VALUES ('intruder')`,
    `INSERT INTO pgmigrations (name, run_on) VALUES ('x', now())`,
    `INSERT INTO event_schema (event_type, version, schema, hash) VALUES ('user-app', 9, '{}', 'h')`,
    'SELECT * FROM other',
    'SELECT * FROM pg_authid',
    `SELECT pg_read_file('/etc/passwd')`,
    `COPY message TO '/dev/null'`,
    `COPY message TO PROGRAM 'cat'`,
    'CREATE TABLE mine ()',
    'CREATE TABLE public.mine ()',
    'CREATE SCHEMA mine',
    'DROP SCHEMA event_process CASCADE',
    'CREATE ROLE mine',
    'ALTER ROLE event_process_processor SUPERUSER',
    'SET ROLE event_process_migrate',
    'ALTER SYSTEM SET fsync = off',
    'ALTER DATABASE event_process RENAME TO mine'.replace('event_process', new URL(connectionString).pathname.slice(1))
  ]
  for (const statement of denied) {
    const code = await client.query(statement).then(
      () => 'allowed',
      (error: unknown) => (error as pg.DatabaseError).code
    )
    await client.query('ROLLBACK')
    t.equal(code, '42501', statement)
  }
  for (const allowed of ['SELECT count(*) FROM message', 'SELECT count(*) FROM rejection', 'SELECT name FROM client FOR KEY SHARE']) {
    await client.query(allowed)
  }
})

await t.test('the operator’s role suffices for clients, event types and schemas, from their registration to their end', async t => {
  const emulator = await startTestSqs(t)
  const env = serviceEnvironment(as('admin'), emulator)
  const run = async (...args: string[]): Promise<Run> => runAdmin(t, env, args)
  const file = join(temporaryDirectory(t), 'schema.json')
  const write = (schema: object): void => writeFileSync(file, JSON.stringify(schema))
  const add = ['schemas', 'add', file, '--event-type', 'order-app', '--json']

  t.match(await run('clients', 'add', 'client-9'), { code: 0 })
  t.match(await run('event-types', 'add', 'order-app'), { code: 0 })
  write({ type: 'object' })
  const first = await run(...add)
  t.match(first, { code: 0, json: { outcome: 'added', schema: { version: 1, state: 'shadow' } } }, first.output)
  const { id } = (first.json as { schema: { id: number } }).schema
  t.match(await run('schemas', 'test', '--id', String(id), '--against', 'stored'), { code: 0, output: /^0 of 0 stored events/m })
  t.match(await run('schemas', 'test', file, '--event-type', 'order-app', '--against', 'rejected'), { code: 0 })
  t.match(await run('schemas', 'activate', String(id)), { code: 0, results: /is active/ })
  write({ type: 'object', required: ['order'] })
  t.match(await run(...add, '--client', 'client-9'), { code: 0 })
  t.match((await run(...add)).json, { schema: { id: id + 2, version: 2 } })
  t.match(await run('schemas', 'activate', String(id + 2)), { code: 0, results: /is active, version 1 is retired/ })
  t.match(await run('schemas', 'retire', String(id + 2)), { code: 0, results: /is retired/ })
  t.match(await run('schemas', 'show', String(id)), { code: 0, results: /by +event_process_admin/ })
  t.match((await run('schemas', 'ls', '--json')).json, { schemas: { length: 3 } })
  t.match(await run('event-types', 'disable', 'order-app'), { code: 0 })
  t.match(await run('clients', 'disable', 'client-9'), { code: 0 })
})

await t.test('the operator’s role can neither change what a version says, nor delete rows, nor touch the tables', async t => {
  const client = new pg.Client({ connectionString: as('admin') })
  await client.connect()
  t.teardown(() => client.end())
  const denied = [
    ...['message', 'rejection', 'client', 'event_type', 'event_schema', 'pgmigrations'].flatMap(table => [
      `DROP TABLE ${table} CASCADE`,
      `TRUNCATE ${table} CASCADE`,
      `DELETE FROM ${table}`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`
    ]),
    `UPDATE event_schema SET schema = '{}'`,
    `UPDATE event_schema SET hash = 'x'`,
    `UPDATE event_schema SET client = NULL`,
    `UPDATE event_schema SET activated_by = 'somebody else'`,
    `UPDATE message SET message = '{}'`,
    `UPDATE rejection SET body = ''`,
    `UPDATE client SET name = 'x'`,
    `INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name) VALUES ('x', '{}', 'user-app', 'client-1')`,
    'SELECT * FROM pgmigrations'
  ]
  for (const statement of denied) {
    const code = await client.query(statement).then(
      () => 'allowed',
      (error: unknown) => (error as pg.DatabaseError).code
    )
    t.equal(code, '42501', statement)
  }
})
