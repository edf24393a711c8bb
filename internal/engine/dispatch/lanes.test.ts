import t, { type Test } from 'tap'
import { lookForLostLanes, silenceLanes } from '../../lab/testing/lost-lanes.js'
import { until } from '../../lab/testing/until.js'
import { createWholeSender } from '../../lab/testing/whole-sender.js'
import type { Lane } from './lanes.js'
import { installLanes, LANES_SCHEMA, openPgBossLanes, type PgBossLanes } from './pg-boss-lanes.js'

const { pool, lanes } = await createWholeSender(t)
const JOBS = `${LANES_SCHEMA}.job`
let nextEndpointId = 1

const newEndpoints = (count: number): readonly number[] =>
  Array.from({ length: count }, () => nextEndpointId++)
const idsOf = (taken: readonly Lane[]): readonly number[] =>
  taken.map(lane => lane.endpointId).sort((a, b) => a - b)

async function call(...endpointIds: readonly number[]): Promise<void> {
  await lanes.call(await connection(), endpointIds)
}
const connection = async () => {
  const client = await pool.connect()
  client.release()
  return client
}

async function jobs(): Promise<number> {
  return (
    (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${JOBS}`)).rows[0]?.n ?? -1
  )
}

/** Another process's lanes. */
async function anotherProcess(t: Test, lostAfterS = 30): Promise<PgBossLanes> {
  const other = await openPgBossLanes({ pool, lostAfterS, onError: error => t.fail(error.message) })
  t.teardown(() => other.close())
  return other
}

t.afterEach(() => pool.query(`DELETE FROM ${JOBS}`))

t.test('a lane that is called often waits once, with whoever calls', async t => {
  const other = await anotherProcess(t)
  const [endpointId = 0] = newEndpoints(1)
  for (let calls = 0; calls < 5; calls++) await call(endpointId)
  await other.call(await connection(), [endpointId])
  t.equal(await jobs(), 1)
  t.same(idsOf(await lanes.take(10)), [endpointId])
  t.same(await lanes.take(10), [])
})

t.test('a call whose transaction is rolled back was none', async t => {
  const [endpointId = 0] = newEndpoints(1)
  const client = await pool.connect()
  await client.query('BEGIN')
  await lanes.call(client, [endpointId])
  await client.query('ROLLBACK')
  client.release()
  t.same(await lanes.take(10), [])
})

t.test(
  'a lane that is called while somebody has it comes when it is left, and holds up nobody meanwhile',
  async t => {
    const [busy = 0, ...others] = newEndpoints(4)
    await call(busy)
    const [lane] = await lanes.take(1)
    await call(busy)
    await call(...others)
    t.same(
      idsOf(await lanes.take(10)),
      others,
      'the others, in spite of the note that waits in front of them'
    )
    t.same(await lanes.take(10), [])
    await lanes.leave(lane!, false)
    t.same(idsOf(await lanes.take(10)), [busy])
  }
)

t.test(
  'a lane that has been at work for long is handed out again as soon as it is left',
  async t => {
    const [endpointId = 0] = newEndpoints(1)
    await call(endpointId)
    const [lane] = await lanes.take(1)
    // What a process that begins now knows of the queue is from a moment when the lane
    // was taken.
    await lookForLostLanes(pool)
    const other = await anotherProcess(t)
    await call(endpointId)
    await lanes.leave(lane!, false)
    t.same(idsOf(await other.take(10)), [endpointId])
  }
)

t.test('a lane is never two processes’, whatever they do at once', async t => {
  const processes = [lanes, await anotherProcess(t), await anotherProcess(t)]
  const endpointIds = newEndpoints(4)
  const holders = new Map<number, PgBossLanes>()
  const turns = new Map<number, number>()
  const run = async (mine: PgBossLanes): Promise<void> => {
    for (let round = 0; round < 40; round++) {
      await mine.call(await connection(), endpointIds)
      for (const lane of await mine.take(2)) {
        if (holders.has(lane.endpointId))
          t.fail(`endpoint ${lane.endpointId} is being worked on already`)
        holders.set(lane.endpointId, mine)
        await mine.keep([lane])
        turns.set(lane.endpointId, (turns.get(lane.endpointId) ?? 0) + 1)
        holders.delete(lane.endpointId)
        await mine.leave(lane, round % 2 === 0)
      }
    }
  }
  await Promise.all(processes.map(run))
  t.same(
    [...turns.keys()].sort((a, b) => a - b),
    endpointIds,
    'each had its turns'
  )
  t.ok((await jobs()) <= endpointIds.length, 'nothing is left but a note for each')
})

t.test(
  'a lane whose process says nothing any more is handed out again, and the old one can do nothing to it',
  async t => {
    const other = await anotherProcess(t)
    const [endpointId = 0] = newEndpoints(1)
    await call(endpointId)
    const [old] = await lanes.take(1)
    t.same(await lanes.keep([old!]), [], 'it is still its own')
    t.equal(await silenceLanes(pool, [endpointId]), 1)
    await call(endpointId)
    let taken: readonly Lane[] = []
    // The supervisors of the processes may be at it themselves just now.
    await until('it is handed out', async () => {
      await lookForLostLanes(pool)
      taken = await other.take(10)
      return taken.length > 0
    })
    t.same(idsOf(taken), [endpointId])
    t.same(await other.take(10), [], 'once')
    t.same(await lanes.keep([old!]), [old], 'the old one hears of it')
    await lanes.leave(old!, false)
    t.same(await other.keep(taken), [], 'and does not take it from the new one')
    await call(endpointId)
    t.same(await lanes.take(10), [], 'nor with a call')
  }
)

t.test('a lane is lost after the time that was set, and not before', async t => {
  const other = await anotherProcess(t, 1_000)
  const [early = 0, late = 0] = newEndpoints(2)
  await other.call(await connection(), [early, late])
  const kept = (await other.take(2)).filter(({ endpointId }) => endpointId === early)
  await silenceLanes(pool, [early], 980)
  await silenceLanes(pool, [late], 1_001)
  await other.call(await connection(), [early, late])
  let taken: readonly Lane[] = []
  await until('one is lost', async () => {
    await lookForLostLanes(pool)
    taken = await lanes.take(2)
    return taken.length > 0
  })
  t.same(idsOf(taken), [late])
  t.same(await other.keep(kept), [])
})

t.test(
  'jobs that are deleted by hand are lost lanes: what is called afterwards is handed out',
  async t => {
    const endpointIds = newEndpoints(3)
    await call(...endpointIds)
    const [taken] = await lanes.take(1)
    await pool.query(`DELETE FROM ${JOBS}`)
    t.same(await lanes.keep([taken!]), [taken])
    await call(...endpointIds)
    t.same(idsOf(await lanes.take(10)), endpointIds)
  }
)

t.test('several processes may make the tables at once, and again', async t => {
  const [endpointId = 0] = newEndpoints(1)
  await call(endpointId)
  await Promise.all([installLanes(pool), installLanes(pool), installLanes(pool)])
  t.same(idsOf(await lanes.take(10)), [endpointId], 'and lose nothing by it')
})
