/**
 * What `sslmode` and `sslrootcert` in DB_CONNECTION mean to the driver, on a real server
 * with a certificate from its own authority.
 */
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { migrateEvents } from '../../systems/events/store/migrate.js'
import { createEventStore } from '../../systems/events/store/postgres.js'
import {
  AUTHORITY,
  OTHER_AUTHORITY,
  SERVER_CERTIFICATE,
  SERVER_KEY
} from '../testing/certificates.js'
import { createPostgresData } from '../testing/postgres-data.js'
import {
  sendBodies,
  serviceEnvironment,
  startProcessor,
  temporaryDirectory
} from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'
import { startTestPostgres } from '../testing/test-postgres.js'
import { until } from '../testing/until.js'

const directory = temporaryDirectory(t)
const rightAuthority = join(directory, 'authority.crt')
const wrongAuthority = join(directory, 'other-authority.crt')
writeFileSync(rightAuthority, AUTHORITY)
writeFileSync(wrongAuthority, OTHER_AUTHORITY)

const dataDir = await createPostgresData(t)
const server = await startTestPostgres({ dataDir, port: 0 })
t.teardown(() => server.stop())
const pool = new pg.Pool({ connectionString: server.connectionString, max: 1 })
// The server may stop before the pool has ended.
pool.on('error', () => undefined)
t.teardown(() => pool.end())
for (const [name, text] of [
  ['server.crt', SERVER_CERTIFICATE],
  ['server.key', SERVER_KEY]
] as const) {
  const path = join(dataDir, 'postgres', name)
  writeFileSync(path, text)
  // The server accepts a key only if its own user owns it and nobody else can read it.
  const { uid, gid } = statSync(join(dataDir, 'postgres'))
  chownSync(path, uid, gid)
  chmodSync(path, 0o600)
}

async function setSsl(value: 'on' | 'off'): Promise<void> {
  await pool.query(value === 'on' ? 'ALTER SYSTEM SET ssl = on' : 'ALTER SYSTEM SET ssl = off')
  await pool.query('SELECT pg_reload_conf()')
  await until(
    `ssl is ${value}`,
    async () => (await pool.query<{ ssl: string }>('SHOW ssl')).rows[0]?.ssl === value
  )
}

/** The connection string of the server under one of its names, with more parameters. */
function connection(
  host: 'localhost' | '127.0.0.1',
  parameters: Readonly<Record<string, string>>
): string {
  const url = new URL(server.connectionString)
  url.hostname = host
  url.search = new URLSearchParams(parameters).toString()
  return url.href
}

/**
 * `encrypted` or `plain` for a successful connection, otherwise the error's code or
 * message.
 */
async function outcome(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  try {
    await client.connect()
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message
  }
  const { rows } = await client.query<{ ssl: boolean }>(
    'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
  )
  await client.end()
  return rows[0]?.ssl === true ? 'encrypted' : 'plain'
}

const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'
const UNKNOWN_AUTHORITY = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'

t.before(() => setSsl('on'))

t.test('verify-full accepts only the right authority and the right name', async t => {
  const right = { sslmode: 'verify-full', sslrootcert: rightAuthority }
  t.equal(await outcome(connection('localhost', right)), 'encrypted')
  t.equal(await outcome(connection('127.0.0.1', right)), WRONG_NAME)
  t.equal(
    await outcome(connection('localhost', { ...right, sslrootcert: wrongAuthority })),
    UNKNOWN_AUTHORITY
  )
  t.equal(
    await outcome(connection('localhost', { sslmode: 'verify-full' })),
    UNKNOWN_AUTHORITY,
    'public authorities without a file'
  )
})

t.test(
  'prefer, require, verify-ca and a misspelt mode are as strict as verify-full in this driver',
  async t => {
    for (const sslmode of ['prefer', 'require', 'verify-ca', 'verify-ful']) {
      t.equal(
        await outcome(connection('localhost', { sslmode, sslrootcert: rightAuthority })),
        'encrypted',
        sslmode
      )
      t.equal(
        await outcome(connection('127.0.0.1', { sslmode, sslrootcert: rightAuthority })),
        WRONG_NAME,
        sslmode
      )
      t.equal(await outcome(connection('localhost', { sslmode })), UNKNOWN_AUTHORITY, sslmode)
    }
  }
)

t.test(
  'no-verify encrypts and trusts anybody; disable, or no mode at all, does not encrypt',
  async t => {
    t.equal(await outcome(connection('127.0.0.1', { sslmode: 'no-verify' })), 'encrypted')
    t.equal(
      await outcome(connection('127.0.0.1', { sslmode: 'no-verify', sslrootcert: wrongAuthority })),
      'encrypted'
    )
    t.equal(await outcome(connection('localhost', { sslmode: 'disable' })), 'plain')
    t.equal(await outcome(connection('localhost', {})), 'plain')
  }
)

t.test('with uselibpqcompat the modes are as lax as in libpq', async t => {
  const compatible = { uselibpqcompat: 'true' }
  t.equal(
    await outcome(connection('127.0.0.1', { ...compatible, sslmode: 'require' })),
    'encrypted',
    'require trusts anybody'
  )
  const verifyCa = { ...compatible, sslmode: 'verify-ca' }
  t.equal(
    await outcome(connection('127.0.0.1', { ...verifyCa, sslrootcert: rightAuthority })),
    'encrypted',
    'any name'
  )
  t.equal(
    await outcome(connection('127.0.0.1', { ...verifyCa, sslrootcert: wrongAuthority })),
    UNKNOWN_AUTHORITY
  )
})

t.test('the processor works over verify-full, with every session encrypted', async t => {
  const emulator = await startTestSqs(t)
  const env = serviceEnvironment(
    connection('localhost', { sslmode: 'verify-full', sslrootcert: rightAuthority }),
    emulator
  )
  const processor = await startProcessor(t, env)
  await sendBodies(emulator, [
    JSON.stringify({
      event_type: 'monitor-app',
      client_id: 'client-1',
      message: 'over TLS',
      event_id: 'tls'
    })
  ])
  await processor.program.until(
    'it is stored',
    async () => (await processor.metrics()).get('stored_total') === 1
  )
  const { rows } = await pool.query<{ name: string; ssl: boolean }>(
    `SELECT DISTINCT application_name AS name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name LIKE 'event-process %' ORDER BY 1`
  )
  t.same(rows, [
    { name: 'event-process clients', ssl: true },
    { name: 'event-process schemas', ssl: true },
    { name: 'event-process store', ssl: true }
  ])
  t.equal(await processor.program.end(), 0)
})

t.test(
  'an untrusted server is an outage, not a reason to refuse events; it gets no data',
  async t => {
    await migrateEvents(server.connectionString)
    const limits = {
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 10_000,
      queryDeadlineMs: 15_000
    }
    for (const parameters of [
      { sslmode: 'verify-full', sslrootcert: wrongAuthority },
      { sslmode: 'verify-full' }
    ]) {
      const store = createEventStore({
        connectionString: connection('localhost', parameters),
        ...limits,
        requireDurability: false
      })
      await t.rejects(store.probe(), {
        name: 'StoreError',
        fault: 'transient',
        code: UNKNOWN_AUTHORITY
      })
      await store.close()
      await t.rejects(migrateEvents(connection('localhost', parameters)), {
        name: 'StoreError',
        fault: 'transient',
        code: UNKNOWN_AUTHORITY
      })
    }
  }
)

t.test(
  'a server without TLS is refused by every mode but disable: nothing falls back to plain text',
  async (t: Test) => {
    await setSsl('off')
    for (const sslmode of ['prefer', 'require', 'no-verify', 'verify-full']) {
      t.equal(
        await outcome(connection('localhost', { sslmode })),
        'The server does not support SSL connections',
        sslmode
      )
    }
    t.equal(await outcome(connection('localhost', { sslmode: 'disable' })), 'plain')
  }
)
