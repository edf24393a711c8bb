/**
 * deployments/roles.sql: the programs work with its roles, and each role may only do what
 * its program does.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { type Run, runAdmin } from '../testing/admin-program.js'
import { createTestDatabase } from '../testing/database.js'
import {
  sendBodies,
  serviceEnvironment,
  startProcessor,
  startProgram,
  temporaryDirectory
} from '../testing/programs.js'
import { runSqlFile } from '../testing/sql-file.js'
import { startTestSqs } from '../testing/sqs.js'
import { startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
// Roles belong to the whole server: they must be gone before the database can be dropped.
t.teardown(async () => {
  const roles =
    'event_process_processor, event_process_sender, event_process_admin, event_process_migrate'
  await pool.query(`DROP OWNED BY ${roles} CASCADE`)
  await pool.query(`DROP ROLE ${roles}`)
})

const PASSWORD = 'a password of the test'

const applyRoles = (): Promise<void> =>
  runSqlFile(pool, 'roles.sql', {
    migrate_password: PASSWORD,
    processor_password: PASSWORD,
    sender_password: PASSWORD,
    admin_password: PASSWORD
  })

function as(role: 'migrate' | 'processor' | 'sender' | 'admin'): string {
  const url = new URL(connectionString)
  url.username = `event_process_${role}`
  url.password = PASSWORD
  return url.href
}

const event = (over: object = {}): string =>
  JSON.stringify({
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: { cpu: 20 },
    ...over
  })

await t.test('one role migrates the tables, the other processes a load', async t => {
  await applyRoles()
  const emulator = await startTestSqs(t)
  const migrated = startProgram(t, 'migrate', serviceEnvironment(as('migrate'), emulator))
  t.equal(await migrated.exited, 0, migrated.output)
  await applyRoles()
  await applyRoles()

  const processor = await startProcessor(t, {
    ...serviceEnvironment(as('processor'), emulator),
    WORKERS: '2',
    VISIBILITY_TIMEOUT_S: '2'
  })
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
  await admin.query(
    `UPDATE client SET weight = 2, max_events_per_s = 1e6, over_quota = 'reject' WHERE name = 'client-1'`
  )
  await admin.end()
  await processor.program.until('all are settled', () => {
    const { ready = [], inflight = [] } = emulator.server.inspectQueue('events')?.messages ?? {}
    return ready.length === 0 && inflight.length === 0
  })
  await processor.program.until('the quota is in force', () => {
    return processor.program.log.some(
      line => line['msg'] === 'weights and quotas in force' && line['clients'] === 1
    )
  })
  t.equal(await processor.program.end(), 0)
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM event_process.message) AS stored,
            (SELECT string_agg(reason, ' ' ORDER BY reason) FROM event_process.rejection) AS rejected`
  )
  t.same(rows, [
    {
      stored: 900,
      rejected: 'conflict missing-field not-an-object not-json unknown-client unknown-event-type'
    }
  ])
  t.notMatch(processor.program.output, 'permission denied')
})

await t.test(
  'the sender’s role delivers to an endpoint added, and backfilled, by the admin’s role',
  async t => {
    const emulator = await startTestSqs(t)
    // Some fail once: so there are retries, and no delivery ends dead.
    const seen = new Set<unknown>()
    const recipient = await startStubHttp(t, (reply, { headers }, before) => {
      const id = headers['webhook-id']
      reply.statusCode = before < 100 && before % 3 === 0 && !seen.has(id) ? 500 : 200
      seen.add(id)
      reply.end()
    })
    let keys = `test:${randomBytes(32).toString('base64')}`
    const env = {
      ...serviceEnvironment(as('sender'), emulator),
      SENDER_SECRET_KEYS: keys,
      SENDER_ALLOW_HTTP: 'yes',
      SENDER_ALLOW_ADDRESSES: '127.0.0.0/8',
      SENDER_METRICS_PORT: '0',
      SENDER_RETRY_SCHEDULE: '50ms,50ms,50ms,50ms'
    }
    const admin = async (...args: string[]): Promise<string> => {
      const run = await runAdmin(
        { ...env, DB_CONNECTION: as('admin'), SENDER_SECRET_KEYS: keys },
        args
      )
      t.equal(run.code, 0, run.output)
      return run.output
    }
    const sender = startProgram(t, 'sender', env)
    // Events not read before the endpoint is added would be delivered too.
    await sender.until('it has read what is stored', async () => {
      const { rowCount } = await pool.query(
        'SELECT FROM event_process.message m, event_process.sender_cursor c WHERE (m.tx, m.fk_client_name, m.message_id) > (c.tx, c.fk_client_name, c.message_id)'
      )
      return rowCount === 0
    })
    const added = await admin('endpoints', 'add', 'client-1', recipient.origin, '--json')
    const { id } = JSON.parse(added.slice(added.indexOf('{'))) as { id: number }
    await admin(
      'deliveries',
      'backfill',
      '--endpoint',
      String(id),
      '--since',
      '1d',
      '--limit',
      '100'
    )
    const delivered = async (): Promise<number> => {
      const { rows } = await pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM event_process.delivery WHERE state = 'delivered'`
      )
      return rows[0]?.n ?? 0
    }
    await sender.until('all are delivered', async () => (await delivered()) === 100)
    await admin('endpoints', 'rotate-secret', String(id), '--grace', '0s')
    await admin('endpoints', 'test', String(id))
    keys = `new:${randomBytes(32).toString('base64')},${keys}`
    t.match(
      await admin('endpoints', 'reseal'),
      /^1 value encrypted again with the key new, 0 left$/m
    )
    await admin('endpoints', 'disable', String(id))
    await admin('deliveries', 'redrive', '--all')
    await pool.query(
      `INSERT INTO event_process.delivery (endpoint_id, fk_client_name, message_id, next_attempt_at) VALUES ($1, 'client-1', 'x', now())`,
      [id]
    )
    await until('what is owed is dead', async () => {
      const { rowCount } = await pool.query(
        `SELECT FROM event_process.delivery WHERE dead_reason = 'endpoint-disabled'`
      )
      return rowCount === 1
    })
    await admin('endpoints', 'show', String(id))
    await admin('trace', 'client-1', 'id-0')
    t.equal(await sender.end(), 0)
    t.notMatch(sender.output, 'permission denied')
  }
)

/** The SQLSTATE, or a text that it succeeded. */
async function codeOf(client: pg.Client, statement: string): Promise<string> {
  const code = await client.query(statement).then(
    () => 'allowed',
    (error: unknown) => (error as pg.DatabaseError).code ?? 'unknown'
  )
  await client.query('ROLLBACK')
  return code
}

const SENDER_TABLES = [
  'endpoint',
  'endpoint_secret',
  'delivery',
  'delivery_attempt',
  'sender_cursor'
]

await t.test('the sender’s role changes only deliveries and an endpoint’s health', async t => {
  const client = new pg.Client({ connectionString: as('sender') })
  await client.connect()
  t.teardown(() => client.end())
  const denied = [
    ...[...SENDER_TABLES, 'message'].flatMap(table => [
      `DROP TABLE ${table} CASCADE`,
      `TRUNCATE ${table} CASCADE`,
      `DELETE FROM ${table}`,
      `ALTER TABLE ${table} ADD COLUMN more text`
    ]),
    ...['client', 'event_type', 'event_schema', 'rejection', 'client_reader'].map(
      table => `SELECT * FROM ${table}`
    ),
    `UPDATE message SET message = '{}'`,
    `INSERT INTO endpoint (fk_client_name, url) VALUES ('client-1', 'https://example.com')`,
    `UPDATE endpoint SET url = 'https://example.com'`,
    'UPDATE endpoint SET fk_client_name = fk_client_name',
    'UPDATE endpoint SET sealed_headers = NULL',
    'UPDATE endpoint_secret SET expires_at = now()',
    'UPDATE delivery_attempt SET status = 200',
    `INSERT INTO sender_cursor VALUES (true, '1', '', '')`,
    'CREATE TABLE event_process_jobs.mine ()',
    'DROP SCHEMA event_process_jobs CASCADE',
    'CREATE TABLE mine ()',
    'SET ROLE event_process_admin'
  ]
  for (const statement of denied) t.equal(await codeOf(client, statement), '42501', statement)
})

await t.test(
  'the admin’s role cannot lose deliveries or rewrite events, the processor’s sees none',
  async t => {
    const admin = new pg.Client({ connectionString: as('admin') })
    await admin.connect()
    t.teardown(() => admin.end())
    const denied = [
      ...SENDER_TABLES.flatMap(table => [
        `DROP TABLE ${table} CASCADE`,
        `TRUNCATE ${table} CASCADE`
      ]),
      ...['endpoint', 'delivery', 'delivery_attempt', 'sender_cursor'].map(
        table => `DELETE FROM ${table}`
      ),
      `UPDATE message SET message = '{}'`,
      'UPDATE delivery_attempt SET status = 200',
      `UPDATE sender_cursor SET tx = '1'`,
      'SELECT * FROM event_process_jobs.job'
    ]
    for (const statement of denied) t.equal(await codeOf(admin, statement), '42501', statement)
    const processor = new pg.Client({ connectionString: as('processor') })
    await processor.connect()
    t.teardown(() => processor.end())
    for (const table of [...SENDER_TABLES, 'event_process_jobs.job']) {
      t.equal(await codeOf(processor, `SELECT * FROM ${table}`), '42501', table)
    }
  }
)

const TABLES = ['message', 'rejection', 'client', 'event_type', 'event_schema', 'pgmigrations']

await t.test(
  'the processor’s role cannot change rows or tables, nor use other tables or roles',
  async t => {
    const migrate = new pg.Client({ connectionString: as('migrate') })
    await migrate.connect()
    await migrate.query('CREATE TABLE other AS SELECT 1 AS secret')
    await migrate.end()
    const client = new pg.Client({ connectionString: as('processor') })
    await client.connect()
    t.teardown(() => client.end())
    const denied = [
      ...TABLES.flatMap(table => [
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
      'ALTER DATABASE event_process RENAME TO mine'.replace(
        'event_process',
        new URL(connectionString).pathname.slice(1)
      )
    ]
    for (const statement of denied) {
      const code = await client.query(statement).then(
        () => 'allowed',
        (error: unknown) => (error as pg.DatabaseError).code
      )
      await client.query('ROLLBACK')
      t.equal(code, '42501', statement)
    }
    for (const allowed of [
      'SELECT count(*) FROM message',
      'SELECT count(*) FROM rejection',
      'SELECT name FROM client FOR KEY SHARE'
    ]) {
      await client.query(allowed)
    }
  }
)

await t.test('the operator’s role suffices to manage clients, event types and schemas', async t => {
  const emulator = await startTestSqs(t)
  const env = serviceEnvironment(as('admin'), emulator)
  const run = async (...args: string[]): Promise<Run> => runAdmin(env, args)
  const file = join(temporaryDirectory(t), 'schema.json')
  const write = (schema: object): void => writeFileSync(file, JSON.stringify(schema))
  const add = ['schemas', 'add', file, '--event-type', 'order-app', '--json']

  t.match(await run('clients', 'add', 'client-9'), { code: 0 })
  t.match(await run('clients', 'set', 'client-9', '--weight', '3', '--max-events-per-s', '50'), {
    code: 0,
    results: /weight 3, quota 50/
  })
  t.match(await run('event-types', 'add', 'order-app'), { code: 0 })
  write({ type: 'object' })
  const first = await run(...add)
  t.match(
    first,
    { code: 0, json: { outcome: 'added', schema: { version: 1, state: 'shadow' } } },
    first.output
  )
  const { id } = (first.json as { schema: { id: number } }).schema
  t.match(await run('schemas', 'test', '--id', String(id), '--against', 'stored'), {
    code: 0,
    output: /^0 of 0 stored events/m
  })
  t.match(
    await run('schemas', 'test', file, '--event-type', 'order-app', '--against', 'rejected'),
    { code: 0 }
  )
  t.match(await run('schemas', 'activate', String(id)), { code: 0, results: /is active/ })
  write({ type: 'object', required: ['order'] })
  t.match(await run(...add, '--client', 'client-9'), { code: 0 })
  t.match((await run(...add)).json, { schema: { id: id + 2, version: 2 } })
  t.match(await run('schemas', 'activate', String(id + 2)), {
    code: 0,
    results: /is active, version 1 is retired/
  })
  t.match(await run('schemas', 'retire', String(id + 2)), { code: 0, results: /is retired/ })
  t.match(await run('schemas', 'show', String(id)), {
    code: 0,
    results: /by +event_process_admin/
  })
  t.match((await run('schemas', 'ls', '--json')).json, { schemas: { length: 3 } })
  t.match(await run('event-types', 'disable', 'order-app'), { code: 0 })
  t.match(await run('clients', 'disable', 'client-9'), { code: 0 })
})

await t.test(
  'the operator’s role cannot change a version’s content, delete rows or alter tables',
  async t => {
    const client = new pg.Client({ connectionString: as('admin') })
    await client.connect()
    t.teardown(() => client.end())
    const denied = [
      ...TABLES.flatMap(table => [
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
  }
)
