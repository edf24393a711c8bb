import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { EventPlace } from '../delivery-records.js'

const FIRST_TX = 'SELECT min(tx)::text AS tx FROM message WHERE received_at >= $1'

const LAST_TX = '18446744073709551615'

export async function placeBefore(db: Queryable, since: Date): Promise<EventPlace> {
  const { rows } = await db.query<{ tx: string | null }>(FIRST_TX, [since])
  // No name is empty, so this comes before the transaction's first row. Without such an
  // event, it comes after all events.
  return [rows[0]?.tx ?? LAST_TX, '', '']
}
