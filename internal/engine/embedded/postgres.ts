/**
 * A real PostgreSQL server on loopback with nothing installed but the project's own
 * packages.
 *
 * Shapes  <dataDir>/postgres is its data directory, <dataDir>/postgres.log its log; one
 *         database, `event_process`.
 * Units   ports are TCP ports on 127.0.0.1; nothing listens elsewhere.
 * Errors  EmbeddedError, one sentence each; a failed start leaves no process behind.
 * Source  PostgreSQL manual: `initdb`, `postgres`, "Shutting Down the Server" (SIGINT =
 *         fast, SIGQUIT = immediate).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync
} from 'node:fs'
import type { Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { EmbeddedError } from './embedded-error.js'
import { findFreePort, isPortFree, LOOPBACK } from './port.js'
import { locatePostgres } from './postgres-binaries.js'
import { serverSettings } from './postgres-settings.js'
import { isServing, readPidFile, stopPostmaster, waitUntil } from './postmaster.js'
import { canReach, type RunUser, runUser } from './run-user.js'

export interface PostgresOptions {
  readonly dataDir: string
  /** 0 takes any free port. */
  readonly port: number
  /** The setting that chooses `port`, named when it is taken. */
  readonly portSetting?: string
  /**
   * False trades safety for speed and ends the server with this process: for tests only.
   */
  readonly durable?: boolean
  readonly log?: (line: string) => void
}

export interface EmbeddedPostgres {
  readonly connectionString: string
  /** The port it listens on: an adopted server keeps the port it had. */
  readonly port: number
  readonly pid: number
  /** Resolves when the server is gone. May be called twice. */
  stop(): Promise<void>
}

const USER = 'postgres'
const DATABASE = 'event_process'
const START_MS = 180_000
const GUARD_STOP_MS = 1_000
const FREE_PORT_TRIES = 5
const LOG_KEEP_BYTES = 10 * 1024 * 1024
const run = promisify(execFile)

interface Place {
  readonly dataDir: string
  readonly dataPath: string
  readonly user: RunUser | null
  readonly native: string
  readonly isDurable: boolean
}

export async function startEmbeddedPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { port, portSetting = 'the port', durable = true, log = () => undefined } = options
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  const dataPath = join(dataDir, 'postgres')

  const adopted = await adopt(dataPath)
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
  const place = {
    dataDir,
    dataPath,
    user,
    native: await locatePostgres(user, log),
    isDurable: durable
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

/** The server that an earlier process started in `dataPath` and did not live to stop. */
async function adopt(dataPath: string): Promise<EmbeddedPostgres | null> {
  const found = readPidFile(dataPath)
  if (found === null) return null
  const { pid, port } = found
  const realPath = realpathSync(dataPath)
  const isGone = () => !isServing(pid, realPath)
  if (isGone()) {
    // PostgreSQL itself would take any process that now has this pid for the old server,
    // and not start.
    rmSync(join(dataPath, 'postmaster.pid'), { force: true })
    return null
  }
  const isReady = () => readPidFile(dataPath)?.isReady === true
  await waitUntil(() => isReady() || isGone(), START_MS)
  if (!isReady()) return null
  await createDatabase(port)
  return running(pid, port, () => stopPostmaster(pid, isGone))
}

function assertOurs(dataPath: string): void {
  const uid = process.getuid?.()
  const owner = statSync(dataPath, { throwIfNoEntry: false })?.uid
  if (uid === undefined || uid === 0 || owner === undefined || owner === uid) return
  throw new EmbeddedError(
    'data-not-ours',
    `${dataPath} belongs to another user (uid ${owner}): start as that user or as root, or remove it.`
  )
}

/**
 * Creates the data directory beside its place and moves it there complete, so that a
 * killed start leaves nothing half-made.
 */
async function initialize(place: Place): Promise<void> {
  for (const name of readdirSync(place.dataDir)) {
    if (name.startsWith('postgres.draft-'))
      rmSync(join(place.dataDir, name), { recursive: true, force: true })
  }
  const draft = join(place.dataDir, `postgres.draft-${randomUUID()}`)
  mkdirSync(draft, { mode: 0o700 })
  try {
    if (place.user !== null) chownSync(draft, place.user.uid, place.user.gid)
    const sync = place.isDurable ? [] : ['--no-sync']
    // The builtin locale is the same on every machine: no locale of the system is needed.
    const locale = [
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8'
    ]
    const args = [
      '-D',
      pathFor(place.user, draft),
      '-U',
      USER,
      '--auth=trust',
      '--no-instructions',
      ...locale,
      ...sync
    ]
    await run(join(place.native, 'bin', 'initdb'), args, {
      cwd: draft,
      env: environment(),
      ...identity(place.user)
    })
    renameSync(draft, place.dataPath)
  } catch (error) {
    const said = /(?:error|FATAL): +(.*)/.exec((error as { stderr?: string }).stderr ?? '')?.[1]
    const detail = said ?? (error as Error).message
    throw new EmbeddedError(
      'start-failed',
      `PostgreSQL could not create its data in ${place.dataDir}: ${explain(error) ?? detail}`,
      error
    )
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/**
 * Starts the server on `port` and waits until it serves; null when somebody else has the
 * port.
 */
async function startOn(place: Place, port: number): Promise<EmbeddedPostgres | null> {
  const { dataPath, user } = place
  const logFile = join(place.dataDir, 'postgres.log')
  const logSize = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  const isLogLarge = logSize > LOG_KEEP_BYTES
  const logFd = openSync(logFile, isLogLarge ? 'w' : 'a')
  const settings = {
    port: String(port),
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    ...serverSettings(place.dataDir, place.isDurable)
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
      env: environment(),
      detached: true,
      stdio: ['ignore', logFd, logFd],
      ...identity(user)
    })
  } finally {
    closeSync(logFd)
  }
  const ends: string[] = []
  server.once('error', error => ends.push(explain(error) ?? error.message))
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
  const guard = place.isDurable ? null : guardPostmaster(pid, user)
  const postgres = running(pid, port, async () => {
    // Taken back, so that this process collects them instead of leaving zombies to a
    // container's first process.
    server.ref()
    guard?.ref()
    guard?.kill('SIGKILL')
    await stopPostmaster(pid, () => hasExited(server))
    await waitUntil(() => guard === null || hasExited(guard), GUARD_STOP_MS)
  })
  try {
    await createDatabase(port)
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

function running(pid: number, port: number, stop: () => Promise<void>): EmbeddedPostgres {
  let stopping: Promise<void> | null = null
  return {
    connectionString: connectionString(port, DATABASE),
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

async function createDatabase(port: number): Promise<void> {
  const session = new pg.Client({ connectionString: connectionString(port, 'postgres') })
  await session.connect()
  try {
    const { rowCount } = await session.query('SELECT FROM pg_database WHERE datname = $1', [
      DATABASE
    ])
    if (rowCount === 0) await session.query(`CREATE DATABASE ${DATABASE}`)
  } finally {
    await session.end()
  }
}

/**
 * Ends a test's server when the test's process dies without stopping it: the pipe closes
 * with the process, however it ends.
 */
function guardPostmaster(pid: number, user: RunUser | null): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -QUIT "$0"', String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...identity(user)
  })
  guard.unref()
  const pipe = guard.stdin as Socket | null
  pipe?.unref()
  return guard
}

/**
 * The name by which the server finds its data. Below a directory closed to its user no
 * path leads there, but the working directory it was started in stays open to it, and
 * Linux gives that one a name.
 */
function pathFor(user: RunUser | null, directory: string): string {
  return process.platform === 'linux' && !canReach(user, directory, 1)
    ? '/proc/self/cwd'
    : directory
}

function identity(user: RunUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid }
}

/** No PG* variable of the caller may reach the server. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env
  return {
    LC_ALL: 'C',
    ...(PATH === undefined ? {} : { PATH }),
    ...(TZ === undefined ? {} : { TZ })
  }
}

function explain(error: unknown): string | undefined {
  const { code } = error as { code?: unknown }
  if (code === 'EPERM' || code === 'EINVAL')
    return 'root may not become another user here; start as an ordinary user, or set DB_CONNECTION.'
  if (code === 'ENOENT')
    return 'its program does not run on this system (it needs glibc); set DB_CONNECTION.'
  return undefined
}
