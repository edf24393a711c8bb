/** `node dist/cmd/migrate`: the migrations alone, as a step of a deployment. */
import { readBaseConfig } from '../config/config.js'
import type { Environment } from '../config/environment.js'
import { ExpectedError, type Service } from '../lifecycle/service.js'
import { createLog } from '../observe/log.js'
import { migrate } from '../store/migrate.js'
import { StoreError } from '../store/store.js'
import { openServices } from './services.js'

export function createMigrate(env: Environment): Service {
  const config = readBaseConfig(env)
  const log = createLog('migrate', config.log, process.stdout.isTTY)
  return {
    async run() {
      const services = await openServices(config.services, line => log.info(line))
      try {
        const { applied, notes } = await migrate(services.dbConnection).catch((error: unknown) => {
          if (error instanceof StoreError) throw new ExpectedError(`The database cannot be migrated: ${error.message} (${error.code})`)
          throw error
        })
        for (const note of notes) log.warn(note)
        log.info({ applied }, applied.length === 0 ? 'the database is up to date' : 'migrated')
      } finally {
        await services.stop()
      }
    }
  }
}
