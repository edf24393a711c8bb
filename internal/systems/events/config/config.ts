/**
 * What each program needs to know, read once at its start.
 *
 * Shapes  an Environment in, a frozen typed value out; nothing else in the system reads
 *         the environment.
 * Errors  ConfigError naming every missing or wrong variable together.
 */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import {
  ConfigError,
  type Environment,
  readValues,
  type Values
} from '../../../engine/config/environment.js'
import { readSender, type SenderSettings } from './sender.js'

export interface AwsConfig {
  readonly region: string
  /** Absent: AWS itself. */
  readonly endpoint?: string
  /** Absent: the SDK's standard credential chain. */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

export interface QueueConfig {
  readonly aws: AwsConfig
  readonly queueName: string
  readonly deadLetterQueueName: string
  readonly maxReceiveCount: number
  readonly retentionS: number
  readonly deadLetterRetentionS: number
  readonly visibilityTimeoutS: number
  readonly waitTimeS: number
  readonly transport: Values['SQS_TRANSPORT']
}

interface ExternalDatabase {
  readonly kind: 'external'
  readonly dbConnection: string
}

interface EmbeddedServices {
  readonly kind: 'embedded'
  readonly embedded: EmbeddedConfig
}

/** Where the database is: given, or to be started here. */
export type DatabaseConfig = ExternalDatabase | EmbeddedServices

/** Where queue and database are. */
export type ServicesConfig = (ExternalDatabase & { readonly aws: AwsConfig }) | EmbeddedServices

export interface EmbeddedConfig {
  readonly dataDir: string
  readonly postgres: EmbeddedPort
  readonly sqs: EmbeddedPort
}

/**
 * A port of an embedded service; one that the user chose is not replaced by another when
 * it is taken.
 */
export interface EmbeddedPort {
  readonly port: number
  readonly isChosen: boolean
}

export interface LogConfig {
  readonly level: Values['LOG_LEVEL']
  readonly format: Values['LOG_FORMAT']
}

/** How long the database, and we for its answer, may take, and what it must promise. */
export interface DbLimits {
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleInTransactionTimeoutMs: number
  readonly queryDeadlineMs: number
  readonly requireDurability: boolean
}

/**
 * What every program needs: the database. Who does not use the queue is not asked for it,
 * nor given its credentials.
 */
export interface BaseConfig {
  readonly services: DatabaseConfig
  readonly db: DbLimits
  readonly log: LogConfig
  readonly shutdownTimeoutMs: number
}

/** What a program needs that uses the queue, too. */
export interface QueueProgramConfig extends BaseConfig {
  readonly services: ServicesConfig
  readonly queue: Omit<QueueConfig, 'aws'>
}

export interface ProcessorConfig extends QueueProgramConfig {
  readonly workers: number
  readonly pollers: number
  readonly batch: {
    readonly maxMessages: number
    readonly maxBytes: number
    readonly lingerMs: number
  }
  readonly maxInFlightMessages: number
  readonly maxInFlightBytes: number
  readonly metrics: { readonly host: string; readonly port: number }
}

export interface SenderConfig extends BaseConfig {
  readonly workers: number
  readonly metrics: { readonly host: string; readonly port: number }
  readonly sender: SenderSettings
}

export interface ProducersConfig extends QueueProgramConfig {
  readonly fakeIntervalMs: number
}

/** Embedded SQS takes any credentials, but the protocol wants some. */
export const EMBEDDED_AWS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' }
} as const
/** A worker that stops in the middle of a transaction frees its locks after this. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
/**
 * The server's own limit comes first; a server that says nothing at all is given up this
 * much later.
 */
const QUERY_DEADLINE_MARGIN_MS = 5_000
/**
 * The dead-letter queue keeps the sender's timestamp, so it must keep messages longer
 * than the queue: SQS's maximum, 14 days.
 */
const DEAD_LETTER_RETENTION_S = 1_209_600
const EMBEDDED_QUEUE_NAME = 'events'

export function readProcessorConfig(env: Environment): ProcessorConfig {
  const { values, problems } = readValues(env)
  return settle(problems, readQueueProgram(values, env, problems), base => ({
    ...base,
    workers: values.WORKERS ?? availableParallelism(),
    pollers: values.POLLERS,
    batch: {
      maxMessages: values.BATCH_MAX_MESSAGES,
      maxBytes: values.BATCH_MAX_BYTES,
      lingerMs: values.BATCH_LINGER_MS
    },
    maxInFlightMessages: values.IN_FLIGHT_MAX_MESSAGES,
    maxInFlightBytes: values.IN_FLIGHT_MAX_BYTES,
    metrics: { host: values.METRICS_HOST, port: values.METRICS_PORT }
  }))
}

export function readSenderConfig(env: Environment): SenderConfig {
  const { values, problems } = readValues(env)
  const base = readBase(values, env, problems)
  const sender = readSender(values, base?.services.kind === 'embedded', env, problems)
  return settle(problems, base, known => ({
    ...known,
    workers: values.SENDER_WORKERS,
    metrics: { host: values.METRICS_HOST, port: values.SENDER_METRICS_PORT },
    sender
  }))
}

export function readProducersConfig(env: Environment): ProducersConfig {
  const { values, problems } = readValues(env)
  return settle(problems, readQueueProgram(values, env, problems), base => ({
    ...base,
    fakeIntervalMs: values.PRODUCERS_FAKE_TIMEOUT
  }))
}

export function readQueueProgramConfig(env: Environment): QueueProgramConfig {
  const { values, problems } = readValues(env)
  return settle(problems, readQueueProgram(values, env, problems), base => base)
}

export function readBaseConfig(env: Environment): BaseConfig {
  const { values, problems } = readValues(env)
  return settle(problems, readBase(values, env, problems), base => base)
}

/** Whatever was wrong is told together; `base` is null only where that is part of it. */
function settle<Base, Config extends object>(
  problems: readonly string[],
  base: Base | null,
  build: (base: Base) => Config
): Config {
  if (problems.length > 0 || base === null) throw new ConfigError(problems)
  return Object.freeze(build(base))
}

function readBase(values: Values, env: Environment, problems: string[]): BaseConfig | null {
  const services = readDatabase(values, env, problems)
  return services === null ? null : { services, ...readCommon(values) }
}

function readQueueProgram(
  values: Values,
  env: Environment,
  problems: string[]
): QueueProgramConfig | null {
  const services = readServices(values, env, problems)
  if (services === null) return null
  const queueName = values.QUEUE_NAME ?? EMBEDDED_QUEUE_NAME
  return {
    services,
    queue: {
      queueName,
      deadLetterQueueName:
        values.DEAD_LETTER_QUEUE_NAME ?? `${queueName.slice(0, 67)}-dead-letters`,
      maxReceiveCount: values.MAX_RECEIVE_COUNT,
      retentionS: values.QUEUE_RETENTION_S,
      deadLetterRetentionS: DEAD_LETTER_RETENTION_S,
      visibilityTimeoutS: values.VISIBILITY_TIMEOUT_S,
      waitTimeS: values.WAIT_TIME_S,
      transport: values.SQS_TRANSPORT
    },
    ...readCommon(values)
  }
}

function readCommon(values: Values): Omit<BaseConfig, 'services'> {
  return {
    db: {
      statementTimeoutMs: values.STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: values.LOCK_TIMEOUT_MS,
      idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      queryDeadlineMs: values.STATEMENT_TIMEOUT_MS + QUERY_DEADLINE_MARGIN_MS,
      requireDurability: values.DB_ALLOW_UNSAFE_DURABILITY === 'no'
    },
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT },
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS
  }
}

/** An external queue beside an external database; embedded ones when neither is named. */
function readServices(values: Values, env: Environment, problems: string[]): ServicesConfig | null {
  const database = readDatabase(values, env, problems)
  if (database?.kind === 'embedded') return database
  if (values.QUEUE_NAME === undefined)
    problems.push(`QUEUE_NAME is missing (${whyNotEmbedded(values)})`)
  const aws = readAws(values, problems)
  return database === null || values.QUEUE_NAME === undefined ? null : { ...database, aws }
}

/**
 * An external database when anything external is named; an embedded one when nothing is,
 * except in production.
 */
function readDatabase(values: Values, env: Environment, problems: string[]): DatabaseConfig | null {
  const { DB_CONNECTION: dbConnection, QUEUE_NAME: queueName } = values
  if (dbConnection === undefined && queueName === undefined && values.NODE_ENV !== 'production') {
    const isSet = (name: string): boolean => env[name] !== undefined && env[name] !== ''
    return {
      kind: 'embedded',
      embedded: {
        dataDir: resolve(values.DATA_DIR),
        postgres: {
          port: values.EMBEDDED_POSTGRES_PORT,
          isChosen: isSet('EMBEDDED_POSTGRES_PORT')
        },
        sqs: { port: values.EMBEDDED_SQS_PORT, isChosen: isSet('EMBEDDED_SQS_PORT') }
      }
    }
  }
  if (dbConnection === undefined) {
    problems.push(`DB_CONNECTION is missing (${whyNotEmbedded(values)})`)
    return null
  }
  if (!isReadable(dbConnection)) {
    problems.push(
      'DB_CONNECTION is not readable as a URL: percent-encode what is special in user and password, and look at the port'
    )
  }
  return { kind: 'external', dbConnection }
}

function whyNotEmbedded({ NODE_ENV }: Values): string {
  return NODE_ENV === 'production'
    ? 'NODE_ENV=production runs no embedded services'
    : 'set both or neither; with neither, embedded services are started'
}

/**
 * As the driver reads it: it encodes spaces itself, and without a host there may be one
 * in the parameters.
 */
function isReadable(dbConnection: string): boolean {
  const encoded = dbConnection.replaceAll(' ', '%20')
  return URL.canParse(encoded) || URL.canParse(encoded.replace('@/', '@host/'))
}

function readAws(values: Values, problems: string[]): AwsConfig {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_ENDPOINT: endpoint
  } = values
  if (accessKeyId !== undefined && secretAccessKey === undefined)
    problems.push('AWS_SECRET_ACCESS_KEY is missing (AWS_ACCESS_KEY_ID is set)')
  if (accessKeyId === undefined && secretAccessKey !== undefined)
    problems.push('AWS_ACCESS_KEY_ID is missing (AWS_SECRET_ACCESS_KEY is set)')
  const region = values.AWS_REGION ?? (endpoint === undefined ? undefined : EMBEDDED_AWS.region)
  if (region === undefined)
    problems.push('AWS_REGION is missing (the region of the queue, such as us-east-1)')
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken })
          }
        }
  return { region: region ?? '', ...(endpoint === undefined ? {} : { endpoint }), ...credentials }
}
