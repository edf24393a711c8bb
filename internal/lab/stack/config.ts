/**
 * What `npm start` needs to know: where the services are, and the ports of the programs.
 *
 * Errors  ConfigError naming every missing or wrong variable together, also those that
 *         only the programs read.
 */
import { type Environment, readValues } from '../../engine/config/environment.js'
import {
  buildConfig,
  type DatabaseConfig,
  PROGRAM_SETTINGS,
  readDatabase,
  readServices
} from '../../engine/program/config.js'
import type { System } from '../../engine/program/system.js'
import { EMBEDDED_DATABASE } from '../../systems/base-config.js'

export interface StackConfig {
  readonly services: DatabaseConfig
  readonly usesQueue: boolean
  /** The port that a setting gives. */
  readonly portOf: (setting: string) => number
  readonly dataDir: string
}

/** With external services there are only logs to keep. */
const LOGS_ONLY_DIR = '.data'

export function readStackConfig(env: Environment, systems: readonly System[]): StackConfig {
  const reading = readValues(PROGRAM_SETTINGS, env)
  const groups = systems.flatMap(({ settings }) => settings)
  const own = readValues(
    Object.fromEntries(groups.flatMap(({ settings }) => Object.entries(settings))),
    env
  )
  const usesQueue = systems.some(system => system.usesQueue)
  const found = (usesQueue ? readServices : readDatabase)(reading, EMBEDDED_DATABASE)
  const problems = new Set([...reading.problems, ...own.problems])
  return buildConfig([...problems], found, services => ({
    services,
    usesQueue,
    portOf: setting => Number(own.values[setting]),
    dataDir: services.kind === 'embedded' ? services.embedded.dataDir : LOGS_ONLY_DIR
  }))
}
