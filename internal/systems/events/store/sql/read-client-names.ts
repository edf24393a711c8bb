import type { Queryable } from '../../../../engine/postgres/queryable.js'

const READ = 'SELECT name FROM client ORDER BY name LIMIT $1'

export async function readClientNames(db: Queryable, atMost: number): Promise<readonly string[]> {
  return (await db.query<{ name: string }>(READ, [atMost])).rows.map(({ name }) => name)
}
