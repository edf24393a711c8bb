/**
 * What a system declares for the programs that serve all systems: settings, tables,
 * programs and commands.
 */
import type { Commands, CommandTools } from '../cli/command.js'
import type { Environment } from '../config/environment.js'
import type { SettingGroup } from '../config/setting.js'
import type { Migrations } from '../postgres/migrate.js'
import type { DbLimits } from '../postgres/settings.js'

export interface System {
  readonly name: string
  /** In the order in which people read them. */
  readonly settings: readonly SettingGroup[]
  readonly migrations: Migrations
  /** Creates the tables of a library; many processes may call it at once. */
  readonly installLibraries?: (connectionString: string, limits: DbLimits) => Promise<void>
  /** True if its programs use a queue. */
  readonly usesQueue: boolean
  /** In the order of their start on one machine. */
  readonly programs: readonly SystemProgram[]
  /** Its part of the admin program, loaded when that runs; absent: it has none. */
  readonly loadAdmin?: () => Promise<SystemAdmin>
}

export interface SystemAdmin {
  /** A sentence or two about its commands. */
  readonly introduction: string
  /** No other system has commands of these names. */
  readonly commands: (env: Environment) => Commands<CommandTools>
}

export interface SystemProgram {
  /** The folder of its entry point below `cmd/`. */
  readonly name: string
  /** The setting for the port of its /metrics and /readyz; null if it has none. */
  readonly portSetting: string | null
}
