/** Brings the events' tables up to date; many processes may call it at once. */
import { type MigrateResult, migrate } from '../../../engine/postgres/migrate.js'
import { EVENTS_MIGRATIONS } from './migrations.js'

export function migrateEvents(connectionString: string): Promise<MigrateResult> {
  return migrate(connectionString, EVENTS_MIGRATIONS)
}
