import pg from 'pg'
import t from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { lookForLostLanes, silenceLanes } from '../../lab/testing/lost-lanes.js'
import { until } from '../../lab/testing/until.js'
import type { ClaimedLane } from './lanes.js'
import { installLanes, openPgBossLanes, type PgBossLanes } from './pg-boss-lanes.js'

const SCHEMA = 'lanes_under_test'
const JOBS = `${SCHEMA}.job`
const { connectionString } = await createTestDatabase(t, { isMigrated: false })
const pool = new pg.Pool({ connectionString, max: 8 })
t.teardown(() => pool.end())
await installLanes(pool, SCHEMA)
const lanes = await anotherProcess(t)
let nextLane = 1

/** Ids that sort in the order they were made. */
const newLanes = (count: number): readonly string[] =>
  Array.from({ length: count }, () => `lane-${String(nextLane++).padStart(3, '0')}`)
const idsOf = (claimed: readonly ClaimedLane[]): readonly string[] =>
  claimed.map(({ laneId }) => laneId).sort()
const wake = (...laneIds: readonly string[]): Promise<void> => lanes.wake(pool, laneIds)

async function jobs(): Promise<number> {
  return (
    (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${JOBS}`)).rows[0]?.n ?? -1
  )
}

interface Tap {
  teardown(fn: () => Promise<void>): void
  fail(message: string): void
}

/** Another process's lanes. */
async function anotherProcess(t: Tap, lostAfterS = 30): Promise<PgBossLanes> {
  const other = await openPgBossLanes({
    pool,
    schema: SCHEMA,
    dataOf: laneId => ({ laneId }),
    lostAfterS,
    onError: error => t.fail(error.message)
  })
  t.teardown(() => other.close())
  return other
}

t.afterEach(() => pool.query(`DELETE FROM ${JOBS}`))

t.test('a lane woken many times waits once, whoever wakes it', async t => {
  const other = await anotherProcess(t)
  const [laneId = ''] = newLanes(1)
  for (let times = 0; times < 5; times++) await wake(laneId)
  await other.wake(pool, [laneId])
  t.equal(await jobs(), 1)
  t.same(idsOf(await lanes.claim(10)), [laneId])
  t.same(await lanes.claim(10), [])
})

t.test('a lane whose waking is rolled back was not woken', async t => {
  const [laneId = ''] = newLanes(1)
  const client = await pool.connect()
  await client.query('BEGIN')
  await lanes.wake(client, [laneId])
  await client.query('ROLLBACK')
  client.release()
  t.same(await lanes.claim(10), [])
})

t.test('a lane woken while it is worked on can be claimed once it is released', async t => {
  const [busy = '', ...others] = newLanes(4)
  await wake(busy)
  const [lane] = await lanes.claim(1)
  await wake(busy)
  await wake(...others)
  t.same(
    idsOf(await lanes.claim(10)),
    others,
    'the others, despite the note that waits ahead of them'
  )
  t.same(await lanes.claim(10), [])
  await lanes.release(lane!, false)
  t.same(idsOf(await lanes.claim(10)), [busy])
})

t.test('a lane can be claimed as soon as it is released, even after long work', async t => {
  const [laneId = ''] = newLanes(1)
  await wake(laneId)
  const [lane] = await lanes.claim(1)
  // A process that starts now knows the queue as of a moment when the lane was claimed.
  await lookForLostLanes(pool, SCHEMA)
  const other = await anotherProcess(t)
  await wake(laneId)
  await lanes.release(lane!, false)
  t.same(idsOf(await other.claim(10)), [laneId])
})

t.test('a lane never belongs to two processes, whatever they do at once', async t => {
  const processes = [lanes, await anotherProcess(t), await anotherProcess(t)]
  const laneIds = newLanes(4)
  const holders = new Map<string, PgBossLanes>()
  const turns = new Map<string, number>()
  const run = async (mine: PgBossLanes): Promise<void> => {
    for (let round = 0; round < 40; round++) {
      await mine.wake(pool, laneIds)
      for (const lane of await mine.claim(2)) {
        if (holders.has(lane.laneId)) t.fail(`${lane.laneId} is being worked on already`)
        holders.set(lane.laneId, mine)
        await mine.renew([lane])
        turns.set(lane.laneId, (turns.get(lane.laneId) ?? 0) + 1)
        holders.delete(lane.laneId)
        await mine.release(lane, round % 2 === 0)
      }
    }
  }
  await Promise.all(processes.map(run))
  t.same([...turns.keys()].sort(), laneIds, 'each had its turns')
  t.ok((await jobs()) <= laneIds.length, 'at most one note for each is left')
})

t.test('the lane of a silent process is handed out again, safe from its old owner', async t => {
  const other = await anotherProcess(t)
  const [laneId = ''] = newLanes(1)
  await wake(laneId)
  const [old] = await lanes.claim(1)
  t.same(await lanes.renew([old!]), [], 'it still owns the lane')
  t.equal(await silenceLanes(pool, SCHEMA, [laneId]), 1)
  await wake(laneId)
  let claimed: readonly ClaimedLane[] = []
  // The supervisors of the processes may be looking at this very moment.
  await until('it is handed out', async () => {
    await lookForLostLanes(pool, SCHEMA)
    claimed = await other.claim(10)
    return claimed.length > 0
  })
  t.same(idsOf(claimed), [laneId])
  t.same(await other.claim(10), [], 'once')
  t.same(await lanes.renew([old!]), [old], 'the old owner learns of it')
  await lanes.release(old!, false)
  t.same(await other.renew(claimed), [], 'and does not take it from the new owner')
  await wake(laneId)
  t.same(await lanes.claim(10), [], 'nor by waking it')
})

t.test('a lane is lost after the configured time, and not before', async t => {
  const other = await anotherProcess(t, 1_000)
  const [early = '', late = ''] = newLanes(2)
  await other.wake(pool, [early, late])
  const kept = (await other.claim(2)).filter(({ laneId }) => laneId === early)
  await silenceLanes(pool, SCHEMA, [early], 980)
  await silenceLanes(pool, SCHEMA, [late], 1_001)
  await other.wake(pool, [early, late])
  let claimed: readonly ClaimedLane[] = []
  await until('one is lost', async () => {
    await lookForLostLanes(pool, SCHEMA)
    claimed = await lanes.claim(2)
    return claimed.length > 0
  })
  t.same(idsOf(claimed), [late])
  t.same(await other.renew(kept), [])
})

t.test('lanes whose jobs are deleted by hand are lost, and can be woken again', async t => {
  const laneIds = newLanes(3)
  await wake(...laneIds)
  const [claimed] = await lanes.claim(1)
  await pool.query(`DELETE FROM ${JOBS}`)
  t.same(await lanes.renew([claimed!]), [claimed])
  await wake(...laneIds)
  t.same(idsOf(await lanes.claim(10)), laneIds)
})

t.test('several processes may create the tables at once, and again', async t => {
  const [laneId = ''] = newLanes(1)
  await wake(laneId)
  await Promise.all([
    installLanes(pool, SCHEMA),
    installLanes(pool, SCHEMA),
    installLanes(pool, SCHEMA)
  ])
  t.same(idsOf(await lanes.claim(10)), [laneId], 'and nothing is lost')
})
