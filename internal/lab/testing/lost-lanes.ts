/**
 * What happens to the lanes of a process that says nothing any more, without the waits.
 *
 * Shapes  `schema` is that of the lanes' tables.
 */
import type pg from 'pg'
import { PgBoss } from 'pg-boss'

/**
 * Puts the last word of these lanes' processes `forS` seconds back; without it, so far
 * that the lanes count as lost. How many there are.
 */
export async function silenceLanes(
  pool: pg.Pool,
  schema: string,
  laneIds: readonly string[],
  forS: number | null = null
): Promise<number> {
  const { rowCount } = await pool.query(
    `UPDATE ${schema}.job SET heartbeat_on = now() - coalesce($2, heartbeat_seconds + 1) * interval '1 second'
     WHERE state = 'active' AND group_id = ANY ($1::text[])`,
    [laneIds, forS]
  )
  return rowCount ?? 0
}

/**
 * What pg-boss does every few seconds, at once; whether it does so depends on the other
 * processes, so callers do it again.
 */
export async function lookForLostLanes(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(
    `UPDATE ${schema}.queue SET monitor_claim_on = NULL, monitor_on = NULL, maintain_on = NULL`
  )
  const db = { executeSql: (text: string, values?: unknown[]) => pool.query(text, values) }
  const boss = new PgBoss({
    db,
    schema,
    migrate: false,
    createSchema: false,
    supervise: false,
    schedule: false
  })
  await boss.start()
  await boss.supervise()
  await boss.stop({ graceful: false, close: false })
}
