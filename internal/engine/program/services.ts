/**
 * Opens a program's services: the configured ones, or embedded ones that it starts or
 * finds. A program without a queue starts none.
 *
 * Errors  ExpectedError if embedded services should run and do not.
 */
import type { EmbeddedServices, EmbeddedServiceSet as ServiceSet } from '../embedded/services.js'
import { ExpectedError } from '../lifecycle/service.js'
import { type AwsConfig, EMBEDDED_AWS } from '../queue/sqs/settings.js'
import type { DatabaseConfig, EmbeddedConfig, ServicesConfig } from './config.js'

export interface DatabaseService {
  readonly dbConnection: string
  /** True when it is embedded: then it and the queue run on this machine. */
  readonly isEmbedded: boolean
  /** Stops what was started here. */
  stop(): Promise<void>
}

export interface Services extends DatabaseService {
  readonly aws: AwsConfig
}

type Say = (line: string) => void

/** The configured services; embedded ones are started unless they run already. */
export async function openServices(config: ServicesConfig, say: Say): Promise<Services> {
  if (config.kind === 'external') return { ...external(config), aws: config.aws }
  const { start, postgres, sqs } = await embedded(config.embedded)
  const started = await start({ postgres, sqs }, say)
  return { ...fromStarted(started), aws: embeddedAws(started.addresses.sqs) }
}

/** The configured services; embedded ones must be running already. */
export async function findServices(config: ServicesConfig): Promise<Services> {
  if (config.kind === 'external') return { ...external(config), aws: config.aws }
  const { find, postgres, sqs } = await embedded(config.embedded)
  const found = await find({ postgres, sqs })
  return { ...fromFound(found), aws: embeddedAws(found.sqs) }
}

/** As openServices, for a program that does not use the queue. */
export async function openDatabase(config: DatabaseConfig, say: Say): Promise<DatabaseService> {
  if (config.kind === 'external') return external(config)
  const { start, postgres } = await embedded(config.embedded)
  return fromStarted(await start({ postgres }, say))
}

/** As findServices, for a program that does not use the queue. */
export async function findDatabase(config: DatabaseConfig): Promise<DatabaseService> {
  if (config.kind === 'external') return external(config)
  const { find, postgres } = await embedded(config.embedded)
  return fromFound(await find({ postgres }))
}

/** Loaded on demand: a production installation does not have these packages. */
async function embedded({ dataDir, database, ...ports }: EmbeddedConfig) {
  const kinds = await import('../embedded/kinds.js')
  const { findEmbeddedServices, startEmbeddedServices } = await import('../embedded/services.js')
  return {
    postgres: kinds.embeddedPostgres(database, ports.postgres),
    sqs: kinds.embeddedSqs(ports.sqs),
    start: <Name extends string>(services: ServiceSet<Name>, say: Say) =>
      startEmbeddedServices(dataDir, services, say),
    find: async <Name extends string>(services: ServiceSet<Name>) => {
      const found = await findEmbeddedServices(dataDir, services)
      if (found === null) throw new ExpectedError(notRunning(dataDir))
      return found
    }
  }
}

function external({ dbConnection }: DatabaseConfig & { kind: 'external' }): DatabaseService {
  return { dbConnection, isEmbedded: false, stop: () => Promise.resolve() }
}

function fromStarted(services: EmbeddedServices<'postgres'>): DatabaseService {
  return {
    dbConnection: services.addresses.postgres,
    isEmbedded: true,
    stop: () => services.stop()
  }
}

function fromFound({ postgres }: Readonly<Record<'postgres', string>>): DatabaseService {
  return { dbConnection: postgres, isEmbedded: true, stop: () => Promise.resolve() }
}

function embeddedAws(endpoint: string): AwsConfig {
  return { ...EMBEDDED_AWS, endpoint }
}

function notRunning(dataDir: string): string {
  return (
    `No embedded services run for ${dataDir}: start them first with \`npm start\`, ` +
    'or set DB_CONNECTION and QUEUE_NAME (see .env-template).'
  )
}
