/**
 * A server that may lose committed data is refused: at the start, after a restart, and
 * while it runs.
 */
import pg from 'pg'
import t, { type Test } from 'tap'
import { startEmbeddedPostgres } from '../../engine/embedded/postgres.js'
import { durableSettings } from '../../engine/embedded/postgres-settings.js'
import { migrateEvents } from '../../systems/events/store/migrate.js'
import { createEventStore } from '../../systems/events/store/postgres.js'
import { valid } from '../testing/event-entries.js'
import { createPostgresData } from '../testing/postgres-data.js'
import {
  sendBodies,
  serviceEnvironment,
  startProcessor,
  startProgram
} from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'
import { insert } from '../testing/store-entries.js'
import { until } from '../testing/until.js'

const server = await startEmbeddedPostgres({
  dataDir: await createPostgresData(t),
  port: 0,
  database: 'bare',
  settings: durableSettings
})
t.teardown(() => server.stop())
const { connectionString } = server
const pool = new pg.Pool({ connectionString, max: 2 })
// The server may stop before the pool has ended.
pool.on('error', () => undefined)
t.teardown(() => pool.end())
/** An empty value counts as not set: the default applies. */
const strict = {
  ...serviceEnvironment(connectionString, { endpoint: 'http://127.0.0.1:9' }),
  DB_ALLOW_UNSAFE_DURABILITY: ''
}
const event = (id: string): string =>
  JSON.stringify({ event_type: 'monitor-app', client_id: 'client-1', message: 'x', event_id: id })

type Unsafe = 'fsync' | 'full_page_writes' | 'synchronous_commit'

/**
 * Turns a setting off on the running server until the test ends or the returned function
 * is called.
 */
async function turnOff(t: Test, name: Unsafe): Promise<() => Promise<void>> {
  const change = async (statement: string, want: string): Promise<void> => {
    await pool.query(statement)
    await pool.query('SELECT pg_reload_conf()')
    await until(`${name} is ${want}`, async () => {
      const { rows } = await pool.query<{ now: string }>('SELECT current_setting($1) AS now', [
        name
      ])
      return rows[0]?.now === want
    })
  }
  const turnOn = (): Promise<void> => change(`ALTER SYSTEM RESET ${name}`, 'on')
  await change(`ALTER SYSTEM SET ${name} = off`, 'off')
  t.teardown(turnOn)
  return turnOn
}

await t.test(
  'the processor refuses to start: one message, no tables, nothing received',
  async t => {
    const emulator = await startTestSqs(t)
    for (const name of ['fsync', 'full_page_writes', 'synchronous_commit'] as const) {
      const turnOn = await turnOff(t, name)
      const program = startProgram(t, 'processor', { ...strict, AWS_ENDPOINT: emulator.endpoint })
      t.equal(await program.exited, 1, name)
      t.match(
        program.output,
        `PostgreSQL may lose committed data because ${name} = off: turn that on, or set DB_ALLOW_UNSAFE_DURABILITY=yes`
      )
      t.notMatch(program.output, /\n\s+at |worker started/)
      await turnOn()
    }
    t.equal(emulator.server.inspectQueue('events'), undefined, 'the queue was not even opened')
    const { rows } = await pool.query(`SELECT to_regclass('message') AS table`)
    t.same(rows, [{ table: null }])
  }
)

await t.test(
  'a setting of the database counts too, and DB_ALLOW_UNSAFE_DURABILITY permits it',
  async t => {
    await pool.query('ALTER DATABASE bare SET synchronous_commit = off')
    t.teardown(() => pool.query('ALTER DATABASE bare RESET synchronous_commit'))
    const emulator = await startTestSqs(t)
    const env = { ...strict, AWS_ENDPOINT: emulator.endpoint }
    const refused = startProgram(t, 'processor', env)
    t.equal(await refused.exited, 1)
    t.match(refused.output, 'because synchronous_commit = off')
    const processor = await startProcessor(t, { ...env, DB_ALLOW_UNSAFE_DURABILITY: 'yes' })
    await sendBodies(emulator, [event('allowed')])
    await processor.program.until(
      'it is stored',
      async () => (await processor.metrics()).get('stored_total') === 1
    )
    t.equal(await processor.program.end(), 0)
  }
)

await t.test(
  'reconfiguring the server makes a running processor unready, until it is undone',
  async t => {
    const emulator = await startTestSqs(t)
    const processor = await startProcessor(t, { ...strict, AWS_ENDPOINT: emulator.endpoint })
    const readiness = async (): Promise<string> =>
      (await fetch(`${processor.origin}/readyz`)).text()
    const turnOn = await turnOff(t, 'fsync')
    await processor.program.until('it says why', async () =>
      (await readiness()).includes('database: PostgreSQL may lose')
    )
    t.match(await readiness(), 'because fsync = off')
    await turnOn()
    await processor.program.until('it is ready again', async () =>
      (await readiness()).includes('"ready":true')
    )
    t.equal(await processor.program.end(), 0)
  }
)

await t.test(
  'a store writes nothing to an unsafe server and goes on when it is safe again',
  async t => {
    await migrateEvents(connectionString)
    const limits = {
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 10_000,
      queryDeadlineMs: 15_000
    }
    const store = createEventStore({ connectionString, ...limits, requireDurability: true })
    t.teardown(() => store.close())
    const turnOn = await turnOff(t, 'full_page_writes')
    await t.rejects(insert(store, valid({ messageId: 'unsafe' })), {
      name: 'StoreError',
      fault: 'schema',
      code: 'unsafe',
      message: /full_page_writes/
    })
    await t.rejects(store.probe(), { code: 'unsafe' })
    const { rows } = await pool.query(`SELECT FROM message WHERE message_id = 'unsafe'`)
    t.same(rows, [])
    await turnOn()
    await store.probe()
    t.same(await insert(store, valid({ messageId: 'safe' })), ['stored'])
  }
)
