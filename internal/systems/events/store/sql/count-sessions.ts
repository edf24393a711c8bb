import type { Queryable } from '../../../../engine/postgres/queryable.js'

const COUNT = `
SELECT count(*)::int AS sessions FROM pg_stat_activity
WHERE application_name = $1 AND datname = current_database()`

/** The number of sessions of this database with this name. */
export async function countSessions(db: Queryable, applicationName: string): Promise<number> {
  return (await db.query<{ sessions: number }>(COUNT, [applicationName])).rows[0]?.sessions ?? 0
}
