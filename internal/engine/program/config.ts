/**
 * What every program must know: its services, the limits of its database, its log.
 *
 * Shapes  a SettingsReading in, a typed value out, or null where services are missing.
 * Errors  readers add what is missing or wrong to the reading's problems; buildConfig
 *         throws one ConfigError that names everything.
 */
import { resolve } from 'node:path'
import { CLUSTER_SETTINGS } from '../cluster/settings.js'
import { ConfigError, isSet, type SettingsReading, type Values } from '../config/environment.js'
import type { ServicePort } from '../embedded/kinds.js'
import { EMBEDDED_SETTINGS } from '../embedded/settings.js'
import { LOG_SETTINGS } from '../observe/settings.js'
import { DATABASE_SETTINGS, type DbLimits, readDbLimits } from '../postgres/settings.js'
import {
  type AwsConfig,
  type QueueConfig,
  readAws,
  readQueue,
  SQS_SETTINGS
} from '../queue/sqs/settings.js'

/**
 * The settings that every program reads, including the queue's: a program without a queue
 * must still know whether one is named, because then the database must be given too.
 */
export const PROGRAM_SETTINGS = {
  ...SQS_SETTINGS.settings,
  ...DATABASE_SETTINGS.settings,
  SHUTDOWN_TIMEOUT_MS: CLUSTER_SETTINGS.SHUTDOWN_TIMEOUT_MS,
  ...EMBEDDED_SETTINGS.settings,
  ...LOG_SETTINGS.settings
} as const

export type ProgramReading = SettingsReading<typeof PROGRAM_SETTINGS>
type ProgramValues = Values<typeof PROGRAM_SETTINGS>

interface ExternalDatabase {
  readonly kind: 'external'
  readonly dbConnection: string
}

interface ServicesToStart {
  readonly kind: 'embedded'
  readonly embedded: EmbeddedConfig
}

/** Where the database is: given, or to be started here. */
export type DatabaseConfig = ExternalDatabase | ServicesToStart

/** Where queue and database are. */
export type ServicesConfig = (ExternalDatabase & { readonly aws: AwsConfig }) | ServicesToStart

export interface EmbeddedConfig {
  readonly dataDir: string
  readonly database: string
  readonly postgres: ServicePort
  readonly sqs: ServicePort
}

export interface LogConfig {
  readonly level: ProgramValues['LOG_LEVEL']
  readonly format: ProgramValues['LOG_FORMAT']
}

/** What every program needs. A program without a queue needs no queue settings. */
export interface BaseConfig {
  readonly services: DatabaseConfig
  readonly db: DbLimits
  readonly log: LogConfig
  readonly shutdownTimeoutMs: number
}

/** What a program with a queue needs. */
export interface QueueProgramConfig extends BaseConfig {
  readonly services: ServicesConfig
  readonly queue: QueueConfig
}

/** Throws all problems together; `base` is null only if it has some. */
export function buildConfig<Base, Config extends object>(
  problems: readonly string[],
  base: Base | null,
  build: (base: Base) => Config
): Config {
  if (problems.length > 0 || base === null) throw new ConfigError(problems)
  return Object.freeze(build(base))
}

/** `embeddedDatabase` is the name of the database that an embedded server has. */
export function readBase(reading: ProgramReading, embeddedDatabase: string): BaseConfig | null {
  const services = readDatabase(reading, embeddedDatabase)
  return services === null ? null : { services, ...readCommon(reading.values) }
}

/** As readBase; `embeddedQueue` is the queue's name where none is set. */
export function readQueueProgram(
  reading: ProgramReading,
  embeddedDatabase: string,
  embeddedQueue: string
): QueueProgramConfig | null {
  const services = readServices(reading, embeddedDatabase)
  if (services === null) return null
  const { values } = reading
  return { services, queue: readQueue(values, embeddedQueue), ...readCommon(values) }
}

function readCommon(values: ProgramValues): Omit<BaseConfig, 'services'> {
  return {
    db: readDbLimits(values),
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT },
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS
  }
}

/** An external queue and database, or embedded ones when neither is named. */
export function readServices(
  reading: ProgramReading,
  embeddedDatabase: string
): ServicesConfig | null {
  const { values, problems } = reading
  const database = readDatabase(reading, embeddedDatabase)
  if (database?.kind === 'embedded') return database
  if (values.QUEUE_NAME === undefined)
    problems.push(`QUEUE_NAME is missing (${whyNotEmbedded(values)})`)
  const aws = readAws(reading)
  return database === null || values.QUEUE_NAME === undefined ? null : { ...database, aws }
}

/**
 * An external database when anything external is named; an embedded one when nothing is,
 * except in production.
 */
export function readDatabase(
  { values, problems, env }: ProgramReading,
  embeddedDatabase: string
): DatabaseConfig | null {
  const { DB_CONNECTION: dbConnection, QUEUE_NAME: queueName } = values
  if (dbConnection === undefined && queueName === undefined && values.NODE_ENV !== 'production') {
    const portOf = (name: 'EMBEDDED_POSTGRES_PORT' | 'EMBEDDED_SQS_PORT'): ServicePort => ({
      port: values[name],
      isChosen: isSet(env, name)
    })
    return {
      kind: 'embedded',
      embedded: {
        dataDir: resolve(values.DATA_DIR),
        database: embeddedDatabase,
        postgres: portOf('EMBEDDED_POSTGRES_PORT'),
        sqs: portOf('EMBEDDED_SQS_PORT')
      }
    }
  }
  if (dbConnection === undefined) {
    problems.push(`DB_CONNECTION is missing (${whyNotEmbedded(values)})`)
    return null
  }
  if (!isReadable(dbConnection)) {
    problems.push(
      'DB_CONNECTION is not a valid URL: percent-encode special characters in user and password, ' +
        'and check the port'
    )
  }
  return { kind: 'external', dbConnection }
}

function whyNotEmbedded({ NODE_ENV }: Pick<ProgramValues, 'NODE_ENV'>): string {
  return NODE_ENV === 'production'
    ? 'NODE_ENV=production runs no embedded services'
    : 'set both or neither; with neither, embedded services are started'
}

/**
 * Checks a URL as the driver reads it: it encodes spaces itself, and accepts a host among
 * the parameters.
 */
function isReadable(dbConnection: string): boolean {
  const encoded = dbConnection.replaceAll(' ', '%20')
  return URL.canParse(encoded) || URL.canParse(encoded.replace('@/', '@host/'))
}
