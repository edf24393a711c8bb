import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { NameTable } from './name-table.js'

const DISABLE: Readonly<Record<NameTable, string>> = {
  client: 'UPDATE client SET disabled_at = now() WHERE name = $1 AND disabled_at IS NULL',
  event_type: 'UPDATE event_type SET disabled_at = now() WHERE name = $1 AND disabled_at IS NULL'
}

/** False: the name does not exist, or is already disabled. */
export async function disableName(db: Queryable, table: NameTable, name: string): Promise<boolean> {
  return (await db.query(DISABLE[table], [name])).rowCount === 1
}
