/** The tables of the events: their migrations, and how they are brought up to date. */
import { type MigrateResult, type Migrations, migrate } from '../../../engine/postgres/migrate.js'

/**
 * They are older than the rule of one SQL schema per system: they lie wherever
 * search_path leads, and their lock has a number of its own. Neither may change, since
 * versions of both kinds start side by side while a new one is rolled out.
 */
export const EVENTS_MIGRATIONS: Migrations = {
  schema: null,
  lockId: 4_720_318_552,
  dir: new URL('./migrations', import.meta.url)
}

export function migrateEvents(connectionString: string): Promise<MigrateResult> {
  return migrate(connectionString, EVENTS_MIGRATIONS)
}
