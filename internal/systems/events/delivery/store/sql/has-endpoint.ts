import type { Queryable } from '../../../store/sql/rejection-filter.js'

export async function hasEndpoint(db: Queryable, id: number): Promise<boolean> {
  return (await db.query('SELECT FROM endpoint WHERE id = $1', [id])).rowCount === 1
}
