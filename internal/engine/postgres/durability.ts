/**
 * Refuses a server that may lose committed rows. A message is deleted because its row is
 * on disk, and on such a server it may not be.
 *
 * Errors  StoreError with the fault `schema` and the code `unsafe`; its message names the
 *         settings.
 * Source  PostgreSQL manual, "Write Ahead Log": without fsync or full_page_writes a crash
 *         of the machine may lose or tear committed data; without synchronous_commit a
 *         crash of the server alone loses the last fraction of a second.
 */
import type { ClientBase } from 'pg'
import { StoreError } from '../intake/store.js'

export const UNSAFE = 'unsafe'

/**
 * The values of this session: a database or a role may have its own synchronous_commit.
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
    `PostgreSQL may lose committed data because ${names} = off: turn that on, or set ` +
      'DB_ALLOW_UNSAFE_DURABILITY=yes where losing events is acceptable'
  )
}
