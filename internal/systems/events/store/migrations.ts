/** Where the events' migrations are, and what keeps two that run at once apart. */
import type { Migrations } from '../../../engine/postgres/migrate.js'

/**
 * These tables are older than the rule of one SQL schema per system: they lie wherever
 * search_path leads, and their lock has a number of its own. Neither may change, since an
 * old version and a new one start side by side while the new one is rolled out.
 */
export const EVENTS_MIGRATIONS: Migrations = {
  schema: null,
  lockId: 4_720_318_552,
  dir: new URL('./migrations', import.meta.url)
}
