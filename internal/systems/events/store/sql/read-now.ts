import type { Queryable } from '../../../../engine/postgres/queryable.js'

/** The database's time. */
export async function readNow(db: Queryable): Promise<string> {
  return (await db.query<{ now: string }>('SELECT now()::text AS now')).rows[0]?.now ?? ''
}
