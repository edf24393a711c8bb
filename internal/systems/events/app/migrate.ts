/** `node dist/cmd/migrate`: the migrations alone, as a step of a deployment. */

import type { Environment } from '../../../engine/config/environment.js'
import { installLanes } from '../../../engine/dispatch/pg-boss-lanes.js'
import { StoreError } from '../../../engine/intake/store.js'
import { ExpectedError, type Service } from '../../../engine/lifecycle/service.js'
import { createLog } from '../../../engine/observe/log.js'
import type { MigrateResult } from '../../../engine/postgres/migrate.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { type DbLimits, readBaseConfig } from '../config/config.js'
import { migrateEvents } from '../store/migrate.js'
import { openDatabase } from './services.js'

export function createMigrate(env: Environment): Service {
  const config = readBaseConfig(env)
  const log = createLog('migrate', config.log, process.stdout.isTTY)
  return {
    async run() {
      const services = await openDatabase(config.services, line => log.info(line))
      try {
        const { applied, notes } = await bringUpToDate(services.dbConnection, config.db).catch(
          (error: unknown) => {
            if (error instanceof StoreError)
              throw new ExpectedError(
                `The database cannot be migrated: ${error.message} (${error.code})`
              )
            throw error
          }
        )
        for (const note of notes) log.warn(note)
        log.info({ applied }, applied.length === 0 ? 'the database is up to date' : 'migrated')
      } finally {
        await services.stop()
      }
    }
  }
}

/** Our tables, and those of the sender's jobs, which their library makes. */
async function bringUpToDate(connectionString: string, limits: DbLimits): Promise<MigrateResult> {
  const result = await migrateEvents(connectionString)
  const pool = createPostgresPool({ connectionString, ...limits })
  try {
    await installLanes(pool)
  } finally {
    await pool.end()
  }
  return result
}
