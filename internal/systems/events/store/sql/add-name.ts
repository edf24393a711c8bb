import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { NameTable } from './name-table.js'

const ADD: Readonly<Record<NameTable, string>> = {
  client: 'INSERT INTO client (name) VALUES ($1) ON CONFLICT (name) DO NOTHING',
  event_type: 'INSERT INTO event_type (name) VALUES ($1) ON CONFLICT (name) DO NOTHING'
}

/** False: the name exists already. */
export async function addName(db: Queryable, table: NameTable, name: string): Promise<boolean> {
  return (await db.query(ADD[table], [name])).rowCount === 1
}
