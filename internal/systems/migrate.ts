/** `node dist/cmd/migrate`: runs the migrations of all systems, as a deployment step. */

import type { Environment } from '../engine/config/environment.js'
import { StoreError } from '../engine/intake/store.js'
import { ExpectedError, type Service } from '../engine/lifecycle/service.js'
import { createLog } from '../engine/observe/log.js'
import { type MigrateResult, migrate } from '../engine/postgres/migrate.js'
import type { DbLimits } from '../engine/postgres/settings.js'
import { openDatabase } from '../engine/program/services.js'
import type { System } from '../engine/program/system.js'
import { readBaseConfig } from './base-config.js'
import { SYSTEMS } from './systems.js'

export function createMigrate(env: Environment): Service {
  const config = readBaseConfig(env)
  const log = createLog('migrate', config.log, process.stdout.isTTY)
  return {
    async run() {
      const services = await openDatabase(config.services, line => log.info(line))
      try {
        for (const system of SYSTEMS) {
          const { applied, notes } = await bringUpToDate(system, services.dbConnection, config.db)
          for (const note of notes) log.warn(note)
          log.info(
            { system: system.name, applied },
            applied.length === 0 ? 'the database is up to date' : 'migrated'
          )
        }
      } finally {
        await services.stop()
      }
    }
  }
}

async function bringUpToDate(
  { name, migrations, installLibraries }: System,
  connectionString: string,
  limits: DbLimits
): Promise<MigrateResult> {
  try {
    const result = await migrate(connectionString, migrations)
    await installLibraries?.(connectionString, limits)
    return result
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new ExpectedError(
      `The database cannot be migrated: ${error.message} (${error.code}, system ${name})`
    )
  }
}
