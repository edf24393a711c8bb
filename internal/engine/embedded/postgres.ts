/**
 * A real PostgreSQL server on loopback that needs only the project's own packages. It
 * listens on 127.0.0.1 and nowhere else.
 *
 * Shapes  <dataDir>/postgres is its data directory, <dataDir>/postgres.log its log.
 * Errors  EmbeddedError, one sentence each; a failed start leaves no process behind.
 * Source  PostgreSQL manual: `postgres`, "Shutting Down the Server" (SIGINT = fast,
 *         SIGQUIT = immediate).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync
} from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { EmbeddedError } from './embedded-error.js'
import { findFreePort, isPortFree, LOOPBACK } from './port.js'
import { locatePostgres } from './postgres-binaries.js'
import { assertOurs, initialize, type PostgresPlace, USER } from './postgres-data.js'
import { isServing, readPidFile, stopPostmaster, waitUntil } from './postmaster.js'
import { identity, pathFor, runUser } from './run-user.js'
import { explainSpawn, serverEnvironment } from './server-process.js'

export interface PostgresOptions {
  readonly dataDir: string
  /** 0 takes any free port. */
  readonly port: number
  /** The setting that chooses `port`, named in the error when it is taken. */
  readonly portSetting?: string
  /** Created if it is missing. */
  readonly database: string
  /** For `postgres -c`; called once `dataDir` exists. */
  readonly settings: (dataDir: string) => Readonly<Record<string, string>>
  readonly log?: (line: string) => void
}

export interface EmbeddedPostgres {
  readonly connectionString: string
  /** The port that it listens on: an adopted server keeps its port. */
  readonly port: number
  readonly pid: number
  /** Resolves when the server is gone. May be called twice. */
  stop(): Promise<void>
}

const START_MS = 180_000
const FREE_PORT_TRIES = 5
const LOG_KEEP_BYTES = 10 * 1024 * 1024

export async function startEmbeddedPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { port, portSetting = 'the port', database, log = () => undefined } = options
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  const dataPath = join(dataDir, 'postgres')

  const adopted = await adopt(dataPath, database)
  if (adopted !== null) {
    log(`PostgreSQL was still running on port ${adopted.port}: using it`)
    return adopted
  }

  const taken = new EmbeddedError(
    'port-taken',
    `Port ${port} is already in use: set ${portSetting} to a free one, or to 0 for any.`
  )
  if (port !== 0 && !(await isPortFree(port))) throw taken
  const user = runUser(dataPath)
  assertOurs(dataPath)
  const place: PostgresPlace = {
    dataDir,
    dataPath,
    user,
    native: await locatePostgres(user, log),
    database,
    settings: options.settings(dataDir)
  }
  if (!existsSync(join(dataPath, 'PG_VERSION'))) await initialize(place)
  if (port !== 0) {
    const server = await startOn(place, port)
    if (server !== null) return server
    throw taken
  }
  for (let tries = 0; tries < FREE_PORT_TRIES; tries += 1) {
    const server = await startOn(place, await findFreePort())
    if (server !== null) return server
  }
  throw new EmbeddedError(
    'port-taken',
    `Found no free port for PostgreSQL in ${FREE_PORT_TRIES} tries.`
  )
}

/** The server in `dataPath` that outlived the process that started it. */
async function adopt(dataPath: string, database: string): Promise<EmbeddedPostgres | null> {
  const found = readPidFile(dataPath)
  if (found === null) return null
  const { pid, port } = found
  const realPath = realpathSync(dataPath)
  const isGone = () => !isServing(pid, realPath)
  if (isGone()) {
    // PostgreSQL would take any process with this pid for the old server, and refuse to
    // start.
    rmSync(join(dataPath, 'postmaster.pid'), { force: true })
    return null
  }
  const isReady = () => readPidFile(dataPath)?.isReady === true
  await waitUntil(() => isReady() || isGone(), START_MS)
  if (!isReady()) return null
  await createDatabase(port, database)
  return running(pid, port, database, () => stopPostmaster(pid, isGone))
}

/** Starts the server on `port` and waits until it serves; null when the port is taken. */
async function startOn(place: PostgresPlace, port: number): Promise<EmbeddedPostgres | null> {
  const { dataPath, user, database } = place
  const logFile = join(place.dataDir, 'postgres.log')
  const logSize = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  const isLogLarge = logSize > LOG_KEEP_BYTES
  const logFd = openSync(logFile, isLogLarge ? 'w' : 'a')
  const settings = {
    port: String(port),
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    ...place.settings
  }
  const args = [
    '-D',
    pathFor(user, dataPath),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  ]
  let server: ChildProcess
  try {
    // A session of its own: the Ctrl-C of a terminal must not stop the database before
    // the processor has drained into it.
    server = spawn(join(place.native, 'bin', 'postgres'), args, {
      cwd: dataPath,
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', logFd, logFd],
      ...identity(user)
    })
  } finally {
    closeSync(logFd)
  }
  const ends: string[] = []
  server.once('error', error => ends.push(explainSpawn(error) ?? error.message))
  server.once('exit', (code, signal) =>
    ends.push(`it ended with ${signal ?? `exit code ${code ?? 0}`}`)
  )
  server.unref()

  const isReady = () =>
    server.pid !== undefined &&
    readPidFile(dataPath)?.pid === server.pid &&
    readPidFile(dataPath)?.isReady === true
  await waitUntil(() => ends.length > 0 || isReady(), START_MS)
  if (server.pid === undefined || !isReady()) {
    if (server.pid !== undefined) await stopPostmaster(server.pid, () => hasExited(server))
    const said = readFileSync(logFile, 'utf8').slice(isLogLarge ? 0 : logSize)
    if (said.includes('could not bind')) return null
    const fatal = /FATAL: +(.*)/.exec(said)?.[1]
    throw new EmbeddedError(
      'start-failed',
      `PostgreSQL did not start: ${fatal ?? ends[0] ?? 'it was not ready in time'} (its log: ${logFile}).`
    )
  }
  const { pid } = server
  const postgres = running(pid, port, database, async () => {
    // Referenced again, so that this process collects it and leaves no zombie to a
    // container's first process.
    server.ref()
    await stopPostmaster(pid, () => hasExited(server))
  })
  try {
    await createDatabase(port, database)
  } catch (error) {
    await postgres.stop()
    throw new EmbeddedError(
      'start-failed',
      `PostgreSQL started but did not answer: ${(error as Error).message}`,
      error
    )
  }
  return postgres
}

function running(
  pid: number,
  port: number,
  database: string,
  stop: () => Promise<void>
): EmbeddedPostgres {
  let stopping: Promise<void> | null = null
  return {
    connectionString: connectionString(port, database),
    port,
    pid,
    stop() {
      stopping ??= stop()
      return stopping
    }
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function connectionString(port: number, database: string): string {
  return `postgresql://${USER}:${USER}@${LOOPBACK}:${port}/${database}`
}

async function createDatabase(port: number, database: string): Promise<void> {
  const session = new pg.Client({ connectionString: connectionString(port, 'postgres') })
  await session.connect()
  try {
    const { rows } = await session.query<{ statement: string }>(
      `SELECT format('CREATE DATABASE %I', $1::text) AS statement
       WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)`,
      [database]
    )
    for (const { statement } of rows) await session.query(statement)
  } finally {
    await session.end()
  }
}
