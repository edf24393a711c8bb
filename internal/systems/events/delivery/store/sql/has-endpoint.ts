import type { Queryable } from '../../../../../engine/postgres/queryable.js'

export async function hasEndpoint(db: Queryable, id: number): Promise<boolean> {
  return (await db.query('SELECT FROM endpoint WHERE id = $1', [id])).rowCount === 1
}
