/**
 * Where queue and database are: as configured, or embedded ones that are started or found
 * here.
 */

import { ExpectedError } from '../../../engine/lifecycle/service.js'
import {
  type AwsConfig,
  type DatabaseConfig,
  EMBEDDED_AWS,
  type EmbeddedConfig,
  type ServicesConfig
} from '../config/config.js'

export interface DatabaseService {
  readonly dbConnection: string
  /** True when it is embedded: then it is this machine's, and so is the queue. */
  readonly isEmbedded: boolean
  /** Ends what was started here; nothing otherwise. */
  stop(): Promise<void>
}

export interface Services extends DatabaseService {
  readonly aws: AwsConfig
}

/** The configured services; embedded ones are started unless they run already. */
export async function openServices(
  config: ServicesConfig,
  say: (line: string) => void
): Promise<Services> {
  if (config.kind === 'external') return { ...external(config), aws: config.aws }
  // Loaded only when needed: the packages behind it are not part of a production
  // installation.
  const { startEmbeddedServices } = await import('../../../engine/embedded/services.js')
  const { dataDir, postgres, sqs } = config.embedded
  const services = await startEmbeddedServices({ dataDir, postgres, sqs, log: say })
  return {
    aws: embeddedAws(services.sqsEndpoint),
    dbConnection: services.dbConnection,
    isEmbedded: true,
    stop: () => services.stop()
  }
}

/** The configured services; embedded ones must be running already. */
export async function findServices(config: ServicesConfig): Promise<Services> {
  if (config.kind === 'external') return { ...external(config), aws: config.aws }
  const { findEmbeddedServices } = await import('../../../engine/embedded/services.js')
  const found = await findEmbeddedServices(config.embedded.dataDir)
  if (found === null) throw new ExpectedError(notRunning(config.embedded))
  return {
    aws: embeddedAws(found.sqsEndpoint),
    dbConnection: found.dbConnection,
    isEmbedded: true,
    stop: () => Promise.resolve()
  }
}

/** As openServices, for a program that does not use the queue. */
export async function openDatabase(
  config: DatabaseConfig,
  say: (line: string) => void
): Promise<DatabaseService> {
  return config.kind === 'external' ? external(config) : openServices(config, say)
}

/** As findServices, for a program that does not use the queue. */
export async function findDatabase(config: DatabaseConfig): Promise<DatabaseService> {
  return config.kind === 'external' ? external(config) : findServices(config)
}

function external({ dbConnection }: DatabaseConfig & { kind: 'external' }): DatabaseService {
  return { dbConnection, isEmbedded: false, stop: () => Promise.resolve() }
}

function embeddedAws(endpoint: string): AwsConfig {
  return { ...EMBEDDED_AWS, endpoint }
}

function notRunning({ dataDir }: EmbeddedConfig): string {
  return (
    `No embedded services run for ${dataDir}: start them first with \`npm start\` or \`node dist/cmd/processor\`, ` +
    'or set DB_CONNECTION and QUEUE_NAME (see .env-template).'
  )
}
