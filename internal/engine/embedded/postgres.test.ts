import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { fastSettings } from '../../lab/testing/test-postgres.js'
import { type EmbeddedPostgres, type PostgresOptions, startEmbeddedPostgres } from './postgres.js'
import { durableSettings } from './postgres-settings.js'
import { isAlive } from './process-alive.js'

/**
 * Registered before the servers in it, so removed after they have stopped: teardowns run
 * last-in-first-out, but tap's own directories go first.
 */
function dataDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-process-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A fast server, with a database of its own name. */
const start = (options: Pick<PostgresOptions, 'dataDir' | 'port' | 'portSetting'>) =>
  startEmbeddedPostgres({ ...options, database: 'tiny', settings: fastSettings })

async function query(server: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const session = new pg.Client({ connectionString: server.connectionString })
  await session.connect()
  try {
    return (await session.query<Record<string, unknown>>({ text: sql })).rows
  } finally {
    await session.end()
  }
}

await t.test('committed data is there at the next start', async t => {
  const dataDir = dataDirectory(t)
  const first = await start({ dataDir, port: 0 })
  t.teardown(() => first.stop())
  await query(first, `CREATE TABLE kept AS SELECT 'Straße' AS word`)
  await Promise.all([first.stop(), first.stop()])
  await t.rejects(query(first, 'SELECT 1'), { code: 'ECONNREFUSED' }, 'a stop ends it')

  const second = await start({ dataDir, port: first.port })
  t.teardown(() => second.stop())
  t.equal(second.port, first.port)
  t.match(second.connectionString, `postgresql://postgres:postgres@127.0.0.1:${second.port}/tiny`)
  t.same(
    await query(second, 'SELECT word, upper(word) FROM kept'),
    [{ word: 'Straße', upper: 'STRAßE' }],
    'in UTF-8, with its rules'
  )

  const pidFile = join(dataDir, 'postgres', 'postmaster.pid')
  const lines = readFileSync(pidFile, 'utf8').split('\n')
  await second.stop()
  writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'))
  const third = await start({ dataDir, port: 0 })
  t.teardown(() => third.stop())
  t.not(
    third.pid,
    process.pid,
    'a pid that now belongs to another program, here this one, is not the server'
  )
  t.same(await query(third, 'SELECT count(*)::int FROM kept'), [{ count: 1 }])
})

await t.test(
  'a server that outlived its killed starter is adopted, with its port and data',
  async t => {
    const dataDir = dataDirectory(t)
    const module = new URL('./postgres.js', import.meta.url).href
    const tuning = new URL('./postgres-settings.js', import.meta.url).href
    const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(module)}
    import { durableSettings as settings } from ${JSON.stringify(tuning)}
    const options = { dataDir: ${JSON.stringify(dataDir)}, port: 0, database: 'tiny', settings }
    const { port, pid } = await startEmbeddedPostgres(options)
    console.log(JSON.stringify({ port, pid }))
    setInterval(() => undefined, 1_000_000)`
    const starter = spawn(
      process.execPath,
      [...process.execArgv, '--input-type=module', '-e', script],
      {
        stdio: ['ignore', 'pipe', 'inherit']
      }
    )
    const [output] = (await once(starter.stdout, 'data')) as [Buffer]
    const { port, pid } = JSON.parse(output.toString()) as { port: number; pid: number }
    starter.kill('SIGKILL')
    await once(starter, 'exit')
    t.ok(isAlive(pid), 'it runs on')

    const log: string[] = []
    const adopted = await startEmbeddedPostgres({
      dataDir,
      port: 0,
      database: 'tiny',
      settings: durableSettings,
      log: line => log.push(line)
    })
    t.teardown(() => adopted.stop())
    t.match(adopted, { port, pid })
    t.same(log, [`PostgreSQL was still running on port ${port}: using it`])
    const names = `('fsync', 'full_page_writes', 'listen_addresses', 'synchronous_commit')`
    t.same(
      await query(
        adopted,
        `SELECT name, setting FROM pg_settings WHERE name IN ${names} ORDER BY name`
      ),
      [
        { name: 'fsync', setting: 'on' },
        { name: 'full_page_writes', setting: 'on' },
        { name: 'listen_addresses', setting: '127.0.0.1' },
        { name: 'synchronous_commit', setting: 'on' }
      ],
      'by default it is crash-safe and open to this machine only'
    )
    await adopted.stop()
    await t.rejects(
      query(adopted, 'SELECT 1'),
      { code: 'ECONNREFUSED' },
      'and the program that adopted it ends it'
    )
  }
)

await t.test('a taken port is refused with the name of the setting that changes it', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  await t.rejects(
    start({
      dataDir: dataDirectory(t),
      port,
      portSetting: 'EMBEDDED_POSTGRES_PORT'
    }),
    {
      code: 'port-taken',
      message: `Port ${port} is already in use: set EMBEDDED_POSTGRES_PORT to a free one, or to 0 for any.`
    }
  )
})

await t.test(
  'data in a directory closed to other users is served, for root by another user',
  async t => {
    const closed = join(dataDirectory(t), 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const dataDir = join(closed, 'data')
    const server = await start({ dataDir, port: 0 })
    t.teardown(() => server.stop())
    t.same(await query(server, 'SELECT 1 AS one'), [{ one: 1 }])
    const { uid } = statSync(join(dataDir, 'postgres'))
    if (process.getuid?.() === 0) t.not(uid, 0)
    else t.equal(uid, process.getuid?.())
    rmSync(dataDir, { recursive: true })
    await server.stop()
    t.notOk(isAlive(server.pid), 'and it stops even after its data was removed')
  }
)

await t.test('data that PostgreSQL cannot use is named with the reason', async t => {
  const dataDir = dataDirectory(t)
  mkdirSync(join(dataDir, 'postgres'))
  writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '9\n')
  await t.rejects(start({ dataDir, port: 0 }), {
    code: 'start-failed',
    message: /^PostgreSQL did not start: .*postgres[.]log/s
  })
})
