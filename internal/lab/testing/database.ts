/**
 * A fresh, migrated database for one test, on a real PostgreSQL, dropped at the end.
 *
 * With DB_CONNECTION_TEST set it is created on that server. Otherwise the test file
 * starts its own server from the project's packages and removes it with its data.
 *
 * Errors  the teardown throws, and fails the test file, when a connection to the database
 *         is still open.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrateEvents } from '../../systems/events/store/migrate.js'

export interface TestDatabase {
  readonly connectionString: string
  /** For the test's own statements; closed by the teardown. */
  readonly pool: pg.Pool
}

export interface TestDatabaseOptions {
  /** False leaves the database without our tables. */
  readonly isMigrated?: boolean
}

/** The part of a tap test that is used here. */
interface Teardown {
  teardown(fn: () => Promise<void>): void
}

type Cleanup = () => Promise<void>

/** Where databases are created, and the migrated template. */
interface Server {
  readonly connectionString: string
  readonly template: string | null
}

export async function createTestDatabase(
  t: Teardown,
  { isMigrated = true }: TestDatabaseOptions = {}
): Promise<TestDatabase> {
  const { connectionString: server, template } = await findServer()
  const cleanups: Cleanup[] = []
  t.teardown(() => runAll(cleanups))
  const name = `event_process_test_${randomBytes(6).toString('hex')}`
  const connectionString = withDatabase(server, name)
  const isCopy = isMigrated && template !== null
  const from = isCopy ? ` TEMPLATE ${template}` : ''
  await runOnce(server, `CREATE DATABASE ${name}${from}`)
  cleanups.unshift(() => runOnce(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const pool = new pg.Pool({ connectionString, max: 4, application_name: 'event-process test' })
  // Tests may end sessions on purpose; the pool replaces broken connections.
  pool.on('error', () => undefined)
  cleanups.unshift(
    () => pool.end(),
    () => assertUnused(server, name)
  )
  if (isMigrated && !isCopy) await migrateEvents(connectionString)
  return { connectionString, pool }
}

let embedded: Promise<Server> | undefined

function findServer(): Promise<Server> {
  const given = process.env['DB_CONNECTION_TEST']
  if (given) return Promise.resolve({ connectionString: given, template: null })
  embedded ??= startServer()
  return embedded
}

/**
 * One server serves the whole test file and ends after it. It is loaded only when needed,
 * because an external database works where the embedded one does not.
 */
async function startServer(): Promise<Server> {
  const { default: file } = await import('tap')
  const { createPostgresData } = await import('./postgres-data.js')
  const { startTestPostgres } = await import('./test-postgres.js')
  const dataDir = await createPostgresData(file)
  const server = await startTestPostgres({ dataDir, port: 0 })
  file.teardown(() => server.stop())
  const template = new URL(server.connectionString).pathname.slice(1)
  // Statements run from another database, because a database in use cannot be copied.
  return { connectionString: withDatabase(server.connectionString, 'postgres'), template }
}

/** Runs each cleanup even if earlier ones failed; the first failure is thrown. */
async function runAll(cleanups: readonly Cleanup[]): Promise<void> {
  const failures: unknown[] = []
  for (const cleanup of cleanups) await cleanup().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

function withDatabase(connectionString: string, name: string): string {
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  return url.href
}

async function runOnce(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/**
 * On the server the session of a closed connection ends a moment later, so this checks
 * several times before it fails.
 */
async function assertUnused(server: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    for (let tries = 100; ; tries--) {
      const { rows } = await client.query<{ application_name: string; query: string }>(
        'SELECT application_name, query FROM pg_stat_activity WHERE datname = $1',
        [name]
      )
      if (rows.length === 0) return
      if (tries === 0) throw new Error(`connections left open: ${JSON.stringify(rows)}`)
      await client.query('SELECT pg_sleep(0.02)')
    }
  } finally {
    await client.end()
  }
}
