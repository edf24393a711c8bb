/**
 * PostgreSQL and SQS for a machine that has neither, shared by all programs started on
 * the same data directory.
 *
 * Shapes  <dataDir>/embedded.json says where the running services are; <dataDir>/postgres
 *         and <dataDir>/sqs hold their data. Whoever starts a service ends it; whoever
 *         finds it running joins it and leaves it running.
 * Errors  EmbeddedError, one sentence each.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { EmbeddedError } from './embedded-error.js'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.js'
import { isAlive } from './process-alive.js'
import { type EmbeddedSqs, startEmbeddedSqs } from './sqs.js'
import { withStartLock } from './start-lock.js'

export interface ServicePort {
  readonly port: number
  /**
   * True where the user set it: then a taken port is an error, else another one is taken.
   */
  readonly isChosen: boolean
}

export interface EmbeddedServicesOptions {
  readonly dataDir: string
  readonly postgres: ServicePort
  readonly sqs: ServicePort
  /**
   * False keeps the queue in memory: about twice as fast, and empty at the next start.
   */
  readonly persistQueue?: boolean
  /** False for tests only. */
  readonly durable?: boolean
  readonly log?: (line: string) => void
}

export interface ServiceAddresses {
  readonly dbConnection: string
  readonly sqsEndpoint: string
}

export interface EmbeddedServices extends ServiceAddresses {
  /** False when another program had started all of it: then `stop` leaves it running. */
  readonly started: boolean
  /** May be called twice. */
  stop(): Promise<void>
}

interface ServicesRecord {
  readonly postgres: Omit<EmbeddedPostgres, 'stop'>
  readonly sqs: Omit<EmbeddedSqs, 'stop'>
}

const ANSWER_MS = 2_000

export async function startEmbeddedServices(
  options: EmbeddedServicesOptions
): Promise<EmbeddedServices> {
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  return withStartLock(dataDir, () => joinOrStart(dataDir, options))
}

/** Where the services of `dataDir` are, if both of them really answer. */
export async function findEmbeddedServices(dataDir: string): Promise<ServiceAddresses | null> {
  const record = readRecord(resolve(dataDir))
  if (record === null) return null
  const answers = await Promise.all([databaseAnswers(record), queueAnswers(record)])
  return answers.every(Boolean)
    ? { dbConnection: record.postgres.connectionString, sqsEndpoint: record.sqs.endpoint }
    : null
}

async function joinOrStart(
  dataDir: string,
  options: EmbeddedServicesOptions
): Promise<EmbeddedServices> {
  const { log = () => undefined, persistQueue = true, durable = true } = options
  const record = readRecord(dataDir)
  // The queue ends with the program that started it: while it answers, that program
  // lives, and what runs is that program's to end.
  const queue = record !== null && (await queueAnswers(record)) ? record.sqs : null
  if (record !== null && queue !== null && (await databaseAnswers(record))) {
    log(
      `Using the embedded services that another program started: PostgreSQL on port ${record.postgres.port}, SQS on port ${queue.port}`
    )
    return {
      dbConnection: record.postgres.connectionString,
      sqsEndpoint: queue.endpoint,
      started: false,
      stop: () => Promise.resolve()
    }
  }

  const postgres = await onPort(
    options.postgres,
    'PostgreSQL',
    'EMBEDDED_POSTGRES_PORT',
    log,
    (port, portSetting) => startEmbeddedPostgres({ dataDir, port, portSetting, durable, log })
  )
  try {
    const place = persistQueue ? { dataDir: join(dataDir, 'sqs') } : {}
    const sqs =
      queue === null
        ? await onPort(options.sqs, 'SQS', 'EMBEDDED_SQS_PORT', log, (port, portSetting) =>
            startEmbeddedSqs({ port, portSetting, log, ...place })
          )
        : { ...queue, stop: () => Promise.resolve() }
    return ours(dataDir, postgres, sqs)
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

function ours(dataDir: string, postgres: EmbeddedPostgres, sqs: EmbeddedSqs): EmbeddedServices {
  writeRecord(dataDir, {
    postgres: {
      connectionString: postgres.connectionString,
      port: postgres.port,
      pid: postgres.pid
    },
    sqs: { endpoint: sqs.endpoint, port: sqs.port, pid: sqs.pid }
  })
  const stop = async () => {
    rmSync(recordFile(dataDir), { force: true })
    const stops = await Promise.allSettled([sqs.stop(), postgres.stop()])
    for (const outcome of stops) if (outcome.status === 'rejected') throw outcome.reason
  }
  let stopping: Promise<void> | null = null
  return {
    dbConnection: postgres.connectionString,
    sqsEndpoint: sqs.endpoint,
    started: true,
    stop() {
      stopping ??= stop()
      return stopping
    }
  }
}

/**
 * Starts on the wanted port, or on any when that one was only our default and somebody
 * else has it.
 */
async function onPort<Service extends { readonly port: number }>(
  wanted: ServicePort,
  name: string,
  setting: string,
  log: (line: string) => void,
  start: (port: number, setting: string) => Promise<Service>
): Promise<Service> {
  try {
    return await start(wanted.port, setting)
  } catch (error) {
    if (wanted.isChosen || !(error instanceof EmbeddedError) || error.code !== 'port-taken')
      throw error
    const service = await start(0, setting)
    log(
      `Port ${wanted.port} is already in use: embedded ${name} is on port ${service.port} (${setting} chooses it)`
    )
    return service
  }
}

function recordFile(dataDir: string): string {
  return join(dataDir, 'embedded.json')
}

function readRecord(dataDir: string): ServicesRecord | null {
  try {
    return JSON.parse(readFileSync(recordFile(dataDir), 'utf8')) as ServicesRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError)
      return null
    throw error
  }
}

function writeRecord(dataDir: string, record: ServicesRecord): void {
  const draft = `${recordFile(dataDir)}.${randomUUID()}`
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`)
  renameSync(draft, recordFile(dataDir))
}

/**
 * The port alone proves nothing: since a killed run, another checkout's services may have
 * come to listen there.
 */
async function databaseAnswers({
  postgres: { pid, connectionString }
}: ServicesRecord): Promise<boolean> {
  if (!isAlive(pid)) return false
  const session = new pg.Client({
    connectionString,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS
  })
  // A connection that breaks after its answer is the next caller's concern.
  session.on('error', () => undefined)
  try {
    await session.connect()
    await session.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await session.end().catch(() => undefined)
  }
}

async function queueAnswers({ sqs: { pid, endpoint } }: ServicesRecord): Promise<boolean> {
  if (!isAlive(pid)) return false
  try {
    const response = await fetch(`${endpoint}/_fauxqs/queues`, {
      signal: AbortSignal.timeout(ANSWER_MS)
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
