import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { NameTable } from './name-table.js'

const ENABLE: Readonly<Record<NameTable, string>> = {
  client: 'UPDATE client SET disabled_at = NULL WHERE name = $1 AND disabled_at IS NOT NULL',
  event_type: `
UPDATE event_type SET disabled_at = NULL WHERE name = $1 AND disabled_at IS NOT NULL`
}

/** False: the name does not exist, or is not disabled. */
export async function enableName(db: Queryable, table: NameTable, name: string): Promise<boolean> {
  return (await db.query(ENABLE[table], [name])).rowCount === 1
}
