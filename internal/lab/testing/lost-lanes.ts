/**
 * Simulates a process that has gone silent, without waiting for its lanes to be lost.
 * `schema` is the schema of the lanes' tables.
 */
import type pg from 'pg'
import { PgBoss } from 'pg-boss'

/**
 * Moves the last heartbeat of these lanes back by `forS` seconds; by default so far that
 * they count as lost. Returns their number.
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
 * Triggers at once what pg-boss does every few seconds. Whether it runs depends on other
 * processes, so callers repeat it.
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
