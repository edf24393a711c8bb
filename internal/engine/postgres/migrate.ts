/**
 * Brings the tables of one system up to this version; many processes may call it at once.
 *
 * One session holds one advisory lock from before its first look at the tables to the
 * end, and the others wait for it; node-pg-migrate's own lock is not used. Each SQL
 * schema has its own lock, so systems do not wait for each other. All pending migrations
 * run in one transaction, so a failed one leaves the tables as they were.
 *
 * It matters which migrations have run, not in which order. Two migrations that were
 * developed side by side do not know of each other: a database that ran the higher number
 * first now gets the other one, with a note about it.
 *
 * Errors  StoreError, as `classify` sees the cause.
 * Source  node-pg-migrate 9; the advisory lock needs a session of its own, so connect
 *         past a transaction-mode pooler.
 */
import { createHash } from 'node:crypto'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type RunnerOption, runner } from 'node-pg-migrate'
import pg from 'pg'
import { classify } from './fault.js'

/** Where a system's migrations are, and where its tables belong. */
export type Migrations = {
  /** Folder of the modules `NNNN-name.ts`, or `.js` when built. */
  readonly dir: URL
} & (
  | {
      /** The SQL schema of its tables; created if missing. */
      readonly schema: string
    }
  | {
      /** The tables are wherever search_path leads. */
      readonly schema: null
      /** A number that no other program uses on this database. */
      readonly lockId: number
    }
)

export interface MigrateResult {
  /** Names of the migrations that this call ran, in order. */
  readonly applied: readonly string[]
  /** Remarks about them for a person, in sentences. */
  readonly notes: readonly string[]
}

/**
 * A server that accepts the connection and stays silent must not block a start for ever.
 */
const CONNECT_MS = 15_000
/** Everything but the modules themselves: `tsc` puts source maps next to them. */
const NOT_A_MIGRATION = '(?!\\d+-[\\w-]+\\.(?:js|ts)$).*'

export async function migrate(
  connectionString: string,
  migrations: Migrations
): Promise<MigrateResult> {
  try {
    const client = await connect(connectionString)
    try {
      // A role's own timeouts are meant for short statements, not for waiting in line.
      await client.query(
        'SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0'
      )
      await client.query('SELECT pg_advisory_lock($1)', [lockIdOf(migrations)])
      if (migrations.schema !== null) await enter(client, migrations.schema)
      return await applyPending(client, fileURLToPath(migrations.dir))
    } finally {
      // Ending the session releases the lock.
      await client.end().catch(() => undefined)
    }
  } catch (error) {
    throw classify(error)
  }
}

/**
 * Two versions of a system that run side by side must exclude each other: this number may
 * never change for a schema in use.
 */
function lockIdOf(migrations: Migrations): number {
  if (migrations.schema === null) return migrations.lockId
  return createHash('sha256').update(`migrate ${migrations.schema}`).digest().readUIntBE(0, 6)
}

/**
 * From here on unqualified names mean this schema. A role without the right to create
 * schemas may not run CREATE SCHEMA IF NOT EXISTS either, so look first.
 */
async function enter(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('CREATE SCHEMA %I', $1::text) AS statement
     WHERE to_regnamespace(quote_ident($1)) IS NULL`,
    [schema]
  )
  for (const { statement } of rows) await client.query(statement)
  await client.query("SELECT set_config('search_path', quote_ident($1), false)", [schema])
}

/**
 * Ends no client that never connected: the driver would wait for ever for the end of a
 * connection that never began.
 */
async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'event-process migrate',
    keepAlive: true
  })
  // A lost connection also fails the query under way; without a listener it would end the
  // process.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    // If the address is invalid, the driver leaves its timer running, and nobody would
    // catch the error with which that ends.
    client.connection.stream.on('error', () => undefined)
    throw error
  }
  return client
}

async function applyPending(client: pg.Client, dir: string): Promise<MigrateResult> {
  const { rows } = await client.query<{ schema: string | null }>(
    'SELECT current_schema() AS schema'
  )
  const migrationsSchema = rows[0]?.schema
  const applied = await runner({
    dbClient: client,
    dir,
    ignorePattern: NOT_A_MIGRATION,
    migrationLoaderStrategies: [{ extensions: ['.js', '.ts'], loader: importMigrations }],
    migrationsTable: 'pgmigrations',
    // The table of migrations that have run is next to the other tables, wherever
    // search_path puts them.
    ...(migrationsSchema ? { migrationsSchema } : {}),
    direction: 'up',
    singleTransaction: true,
    noLock: true,
    checkOrder: false,
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined }
  })
  const names = applied.map(({ name }) => name)
  return { applied: names, notes: await findLate(client, names) }
}

/** A sentence for each migration that ran after one with a higher number. */
async function findLate(client: pg.Client, applied: readonly string[]): Promise<readonly string[]> {
  if (applied.length === 0) return []
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM pgmigrations WHERE name <> ALL ($1::text[]) ORDER BY name',
    [applied]
  )
  const last = rows.at(-1)?.name ?? ''
  return applied
    .filter(name => name < last)
    .map(
      name =>
        `${name} ran after ${last}, which this database already had: ` +
        'they do not depend on each other'
    )
}

type Loader = Exclude<
  NonNullable<RunnerOption['migrationLoaderStrategies']>[number]['loader'],
  string
>
type Actions = Awaited<ReturnType<Loader>>[number]['actions']

/**
 * Node's own import, so that sources and compiled files load as in the rest of the
 * program.
 */
const importMigrations: Loader = paths =>
  Promise.all(
    paths.map(async path => ({
      id: path,
      filePaths: [path],
      actions: (await import(pathToFileURL(path).href)) as Actions
    }))
  )
