/** Creates the tables of the sender's jobs; pg-boss defines them. */
import { installLanes } from '../../../engine/dispatch/pg-boss-lanes.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import type { DbLimits } from '../../../engine/postgres/settings.js'
import { LANES_SCHEMA } from '../delivery/store/endpoint-lanes.js'
import { RECORDS_POOL } from '../store/pool-uses.js'

export async function installSenderLanes(
  connectionString: string,
  limits: DbLimits
): Promise<void> {
  const pool = createPostgresPool({ connectionString, ...limits }, RECORDS_POOL)
  try {
    await installLanes(pool, LANES_SCHEMA)
  } finally {
    await pool.end()
  }
}
