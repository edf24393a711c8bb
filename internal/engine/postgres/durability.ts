/**
 * Refuses a server that may forget what it has committed: a message is deleted because
 * its row is on disk, and there it is not.
 *
 * Errors  StoreError with the fault `schema` and the code `unsafe`, which names the
 *         settings.
 * Source  PostgreSQL manual, "Write Ahead Log": without fsync or full_page_writes a crash
 *         of the machine may lose or tear what was committed; without synchronous_commit
 *         a crash of the server alone loses the last fraction of a second.
 */
import type { ClientBase } from 'pg'
import { StoreError } from '../intake/store.js'

export const UNSAFE = 'unsafe'

/**
 * As this session sees them: a database and a role may have a synchronous_commit of their
 * own.
 */
const READ_UNSAFE = `
SELECT string_agg(name, ', ' ORDER BY name) AS names
FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit']) AS name
WHERE current_setting(name) = 'off'`

export async function assertDurable(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ names: string | null }>(READ_UNSAFE)
  const names = rows[0]?.names ?? null
  if (names === null) return
  throw new StoreError(
    'schema',
    UNSAFE,
    `PostgreSQL may forget what it has committed, with ${names} = off: turn that on, or set DB_ALLOW_UNSAFE_DURABILITY=yes where losing events is acceptable`
  )
}
