/**
 * Lanes as jobs of pg-boss: one job per woken lane, and one per lane that is being worked
 * on.
 *
 * The queue policy `short` keeps at most one waiting job per lane (its singleton key),
 * and a fetch with a group concurrency of one skips lanes that are being worked on. So a
 * waiting lane that is woken again stays one job, and a lane woken while it is worked on
 * can be claimed once it is released. A lost lane is a failed job that is not retried:
 * another process could claim a job waiting in state `retry` at the same moment as a
 * woken one. A job holds little but the lane's id, as its group, and is deleted when its
 * lane is released. So the table is as long as the list of busy lanes, whatever the
 * backlog. Lanes that pg-boss forgets, drops or loses are woken again within a second
 * (Dispatch.wakeDue).
 *
 * The policies `stately` and `singleton` hold up others: one waiting job of a lane that
 * is being worked on makes a whole fetch come back empty (23505). What pg-boss does
 * against that skips lanes that were busy up to a minute ago.
 *
 * Source  pg-boss 12: queue policies, groups, heartbeats.
 */
import type pg from 'pg'
import { type ConstructorOptions, PgBoss } from 'pg-boss'
import { rethrowClassified } from '../postgres/fault.js'
import type { ClaimedLane, Lanes } from './lanes.js'
import type { WakeLanes } from './wake-lanes.js'

const QUEUE = 'lane'
const LOOK_FOR_LOST_EVERY_S = 5
const AN_HOUR_S = 3_600
const A_DAY_S = 24 * AN_HOUR_S

/**
 * Names one attempt at a job: once the job is lost, nothing that we do to it takes
 * effect.
 */
interface JobAttempt {
  readonly id: string
  readonly retryCount: number
}

interface BossLane extends ClaimedLane {
  readonly job: JobAttempt
}

export interface PgBossLanes extends Lanes {
  readonly wake: WakeLanes
}

export interface PgBossLanesOptions {
  readonly pool: pg.Pool
  /** The SQL schema of pg-boss's tables: each system has one of its own. */
  readonly schema: string
  /**
   * What a job holds for people who read it; this code knows the lane by the job's group.
   */
  readonly dataOf: (laneId: string) => object
  /**
   * A process that has not renewed its lanes for this long has lost them; the minimum of
   * pg-boss is ten.
   */
  readonly lostAfterS: number
  /** Something in the background failed; it is tried again. */
  readonly onError: (error: Error) => void
}

/** Rejects with a StoreError when the tables are missing: installLanes creates them. */
export async function openPgBossLanes({
  pool,
  schema,
  dataOf,
  lostAfterS,
  onError
}: PgBossLanesOptions): Promise<PgBossLanes> {
  const boss = createBoss(pool, schema, { migrate: false, createSchema: false, supervise: true })
  boss.on('error', onError)
  await boss.start().catch(rethrowClassified)
  const jobOf = (lane: ClaimedLane): JobAttempt => (lane as BossLane).job
  const note = (laneId: string) => ({
    singletonKey: laneId,
    group: { id: laneId },
    heartbeatSeconds: lostAfterS,
    data: dataOf(laneId)
  })
  return {
    async wake(client, laneIds) {
      await boss.insert(QUEUE, laneIds.map(note), { db: executorOf(client) })
    },
    async claim(max) {
      const jobs = await boss
        .fetch(QUEUE, { batchSize: max, groupConcurrency: 1 })
        .catch(rethrowClassified)
      return jobs.map(
        ({ id, retryCount, groupId }): BossLane => ({
          laneId: groupId ?? '',
          job: { id, retryCount }
        })
      )
    },
    async renew(lanes) {
      if (lanes.length === 0) return []
      // The declared type lacks this field of the answer.
      const answer: { readonly settled?: readonly string[] | null } = await boss
        .touch(QUEUE, lanes.map(jobOf))
        .catch(rethrowClassified)
      const kept = new Set(answer.settled)
      return lanes.filter(lane => !kept.has(jobOf(lane).id))
    },
    async release(lane, wakeAgain) {
      await boss.deleteJob(QUEUE, [jobOf(lane)]).catch(rethrowClassified)
      if (wakeAgain) await boss.insert(QUEUE, [note(lane.laneId)]).catch(rethrowClassified)
    },
    async close() {
      await boss.stop({ graceful: false, close: false })
    }
  }
}

/**
 * Creates or updates pg-boss's tables and our queue; several processes may do so at once.
 */
export async function installLanes(pool: pg.Pool, schema: string): Promise<void> {
  const createSchema = await isSchemaMissing(pool, schema)
  const boss = createBoss(pool, schema, { migrate: true, createSchema, supervise: false })
  boss.on('error', () => undefined)
  try {
    await boss.start()
    const options = {
      // A lane may be worked on for as long as its process renews it; a job that nobody
      // fetches is woken again anyway.
      expireInSeconds: A_DAY_S - 1,
      retentionSeconds: A_DAY_S,
      deleteAfterSeconds: AN_HOUR_S,
      retryLimit: 0
    }
    if ((await boss.getQueue(QUEUE)) === null)
      await boss.createQueue(QUEUE, { policy: 'short', ...options })
    else await boss.updateQueue(QUEUE, options)
  } catch (error) {
    rethrowClassified(error)
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
}

/**
 * A role without the right to create schemas may not run CREATE SCHEMA IF NOT EXISTS
 * either: somebody else has then created the schema (deployments/roles.sql).
 */
async function isSchemaMissing(pool: pg.Pool, schema: string): Promise<boolean> {
  const { rows } = await pool
    .query<{ isMissing: boolean }>('SELECT to_regnamespace($1) IS NULL AS "isMissing"', [schema])
    .catch(rethrowClassified)
  return rows[0]?.isMissing === true
}

function createBoss(
  pool: pg.Pool,
  schema: string,
  role: Pick<ConstructorOptions, 'migrate' | 'createSchema' | 'supervise'>
): PgBoss {
  return new PgBoss({
    db: executorOf(pool),
    schema,
    ...role,
    monitorIntervalSeconds: LOOK_FOR_LOST_EVERY_S,
    superviseIntervalSeconds: LOOK_FOR_LOST_EVERY_S,
    maintenanceIntervalSeconds: AN_HOUR_S,
    schedule: false
  })
}

function executorOf(client: Pick<pg.ClientBase, 'query'>): {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
} {
  return { executeSql: (text, values) => client.query(text, values) }
}
