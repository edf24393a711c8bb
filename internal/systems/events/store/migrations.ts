/** The events' migrations: where they are, and the lock that only one run can hold. */
import type { Migrations } from '../../../engine/postgres/migrate.js'

/**
 * These tables are older than the rule of one SQL schema per system: they are where
 * search_path leads, and their lock has its own number. Neither may change, because an
 * old and a new version start side by side during a rollout.
 */
export const EVENTS_MIGRATIONS: Migrations = {
  schema: null,
  lockId: 4_720_318_552,
  dir: new URL('./migrations', import.meta.url)
}
