/**
 * What the programs need that belong to no system alone, such as `migrate` and `sql`.
 *
 * Errors  ConfigError naming every missing or wrong variable together.
 */
import { type Environment, readValues } from '../engine/config/environment.js'
import {
  type BaseConfig,
  buildConfig,
  PROGRAM_SETTINGS,
  readBase
} from '../engine/program/config.js'

/** The embedded PostgreSQL's database, for all systems: people's data is in it. */
export const EMBEDDED_DATABASE = 'event_process'

export function readBaseConfig(env: Environment): BaseConfig {
  const reading = readValues(PROGRAM_SETTINGS, env)
  return buildConfig(reading.problems, readBase(reading, EMBEDDED_DATABASE), base => base)
}
