import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { NameTable } from './name-table.js'

const FIND: Readonly<Record<NameTable, string>> = {
  client: 'SELECT disabled_at IS NOT NULL AS "isDisabled" FROM client WHERE name = $1',
  event_type: 'SELECT disabled_at IS NOT NULL AS "isDisabled" FROM event_type WHERE name = $1'
}

export async function findName(
  db: Queryable,
  table: NameTable,
  name: string
): Promise<{ readonly isDisabled: boolean } | null> {
  return (await db.query<{ isDisabled: boolean }>(FIND[table], [name])).rows[0] ?? null
}
