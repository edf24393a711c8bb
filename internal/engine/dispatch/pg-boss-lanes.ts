/**
 * Lanes as jobs of pg-boss: a job per endpoint that is called, and one per endpoint that
 * is being worked on.
 *
 * The queue's policy `short` keeps at most one waiting job per endpoint (its singleton
 * key), and a fetch with a group concurrency of one passes by the endpoints that are
 * being worked on: calls of a waiting lane are one job, and a lane that is called while
 * it is being worked on comes when it is left. A lost lane is a failed job and not tried
 * again: a job that waits in state `retry` beside a called one could be taken by somebody
 * else at the same moment. A job holds nothing but the endpoint's number, and is deleted
 * when its lane is left, so the table is as long as the list of busy endpoints, whatever
 * the backlog. What pg-boss forgets, drops or loses is called again within a second
 * (Deliveries.callDue).
 *
 * The policies `stately` and `singleton` hold others up: one waiting job of an endpoint
 * that is being worked on makes a whole fetch come back empty (23505), and what pg-boss
 * does against it passes by endpoints that were busy up to a minute ago.
 *
 * Source  pg-boss 12: queue policies, groups, heartbeats.
 */
import type pg from 'pg'
import { PgBoss } from 'pg-boss'
import { classify } from '../postgres/fault.js'
import type { CallLanes } from './call-lanes.js'
import type { Lane, Lanes } from './lanes.js'

export const LANES_SCHEMA = 'event_process_jobs'
const QUEUE = 'lane'
const LOOK_FOR_LOST_EVERY_S = 5
const AN_HOUR_S = 3_600
const A_DAY_S = 24 * AN_HOUR_S

/** Names one attempt at a job: once it is lost, nothing that we do to it takes effect. */
interface JobAttempt {
  readonly id: string
  readonly retryCount: number
}

interface BossLane extends Lane {
  readonly job: JobAttempt
}

export interface PgBossLanes extends Lanes {
  readonly call: CallLanes
}

export interface PgBossLanesOptions {
  readonly pool: pg.Pool
  /**
   * A process that has not said for this long that it keeps its lanes has lost them; the
   * least that pg-boss takes is ten.
   */
  readonly lostAfterS: number
  /** Something in the background failed; it is tried again. */
  readonly onError: (error: Error) => void
}

/** Rejects with a StoreError when the tables are not there: installLanes makes them. */
export async function openPgBossLanes({
  pool,
  lostAfterS,
  onError
}: PgBossLanesOptions): Promise<PgBossLanes> {
  const boss = createBoss(pool, false)
  boss.on('error', onError)
  await boss.start().catch(rethrow)
  const jobOf = (lane: Lane): JobAttempt => (lane as BossLane).job
  const note = (endpointId: number) => noteFor(endpointId, lostAfterS)
  return {
    async call(client, endpointIds) {
      await boss.insert(QUEUE, endpointIds.map(note), { db: executorOf(client) })
    },
    async take(max) {
      const jobs = await boss
        .fetch<Lane>(QUEUE, { batchSize: max, groupConcurrency: 1 })
        .catch(rethrow)
      return jobs.map(
        ({ id, retryCount, data }): BossLane => ({
          endpointId: data.endpointId,
          job: { id, retryCount }
        })
      )
    },
    async keep(lanes) {
      if (lanes.length === 0) return []
      // The types of the answer leave out what it says.
      const answer: { readonly settled?: readonly string[] | null } = await boss
        .touch(QUEUE, lanes.map(jobOf))
        .catch(rethrow)
      const kept = new Set(answer.settled)
      return lanes.filter(lane => !kept.has(jobOf(lane).id))
    },
    async leave(lane, callAgain) {
      await boss.deleteJob(QUEUE, [jobOf(lane)]).catch(rethrow)
      if (callAgain) await boss.insert(QUEUE, [note(lane.endpointId)]).catch(rethrow)
    },
    async close() {
      await boss.stop({ graceful: false, close: false })
    }
  }
}

/**
 * Makes or updates pg-boss's tables and our queue; several processes may do so at once.
 */
export async function installLanes(pool: pg.Pool): Promise<void> {
  const boss = createBoss(pool, true, await isSchemaMissing(pool))
  boss.on('error', () => undefined)
  try {
    await boss.start()
    const options = {
      // A lane may be worked on as long as its process says so; what nobody fetches is
      // called again anyway.
      expireInSeconds: A_DAY_S - 1,
      retentionSeconds: A_DAY_S,
      deleteAfterSeconds: AN_HOUR_S,
      retryLimit: 0
    }
    if ((await boss.getQueue(QUEUE)) === null)
      await boss.createQueue(QUEUE, { policy: 'short', ...options })
    else await boss.updateQueue(QUEUE, options)
  } catch (error) {
    rethrow(error)
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
}

/**
 * Who may make no schemas may not say "if it is missing" either: then somebody else has
 * made it for us (deployments/roles.sql).
 */
async function isSchemaMissing(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool
    .query<{ isMissing: boolean }>('SELECT to_regnamespace($1) IS NULL AS "isMissing"', [
      LANES_SCHEMA
    ])
    .catch(rethrow)
  return rows[0]?.isMissing === true
}

function noteFor(endpointId: number, heartbeatSeconds: number) {
  const key = String(endpointId)
  return {
    singletonKey: key,
    group: { id: key },
    heartbeatSeconds,
    data: { endpointId } satisfies Lane
  }
}

function createBoss(pool: pg.Pool, isInstalling: boolean, createSchema = false): PgBoss {
  return new PgBoss({
    db: executorOf(pool),
    schema: LANES_SCHEMA,
    migrate: isInstalling,
    createSchema,
    supervise: !isInstalling,
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

function rethrow(error: unknown): never {
  throw classify(error)
}
