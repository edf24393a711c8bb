/**
 * The configuration of programs that serve all systems, such as `migrate` and `sql`.
 *
 * Errors  ConfigError that names all missing and wrong variables.
 */
import { type Environment, readValues } from '../engine/config/environment.js'
import {
  type BaseConfig,
  buildConfig,
  PROGRAM_SETTINGS,
  readBase
} from '../engine/program/config.js'

/** The embedded PostgreSQL's database, for all systems; renaming it would lose data. */
export const EMBEDDED_DATABASE = 'event_process'

export function readBaseConfig(env: Environment): BaseConfig {
  const reading = readValues(PROGRAM_SETTINGS, env)
  return buildConfig(reading.problems, readBase(reading, EMBEDDED_DATABASE), base => base)
}
