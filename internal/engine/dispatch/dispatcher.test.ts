import t, { type Test } from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { DONE, FAILED, MemoryDispatch, MemoryLanes } from '../../lab/testing/memory-dispatch.js'
import { SILENT_OBSERVER } from '../../lab/testing/silent-observer.js'
import type { Chore, ChoreRun } from './dispatch.js'
import { Dispatcher } from './dispatcher.js'

interface Setup {
  /** Lanes with one duty each, woken from the beginning. */
  readonly woken?: readonly string[]
  readonly maxLanes?: number
  /** There is always something due. */
  readonly isEndless?: boolean
  readonly chore?: (nth: number) => Promise<ChoreRun>
  readonly schedule?: readonly number[]
  readonly isFailing?: () => boolean
  /** Lanes with something due are woken each second. */
  readonly wakesDue?: boolean
}

const IDLE: ChoreRun = { isMore: false, hasWoken: false }
const idle = (): Promise<ChoreRun> => Promise.resolve(IDLE)

/** A dispatcher on lanes and duties in memory; each attempt takes a second. */
function setup(t: Test, options: Setup = {}) {
  const {
    woken = [],
    maxLanes = 10,
    isEndless = false,
    isFailing = () => false,
    wakesDue
  } = options
  const clock = createManualClock()
  const lanes = new MemoryLanes(clock)
  const served: string[] = []
  const chores: number[] = []
  const { chore } = options
  const feed: Chore = {
    name: 'feed',
    everyMs: 100,
    run() {
      chores.push(clock.monotonicMs())
      return (chore ?? idle)(chores.length)
    }
  }
  const dispatch = new MemoryDispatch({
    clock,
    answer({ laneId }) {
      served.push(laneId)
      if (isEndless) dispatch.add(laneId)
      return isFailing() ? FAILED : DONE
    },
    attemptMs: () => 1_000,
    wake: laneIds => {
      if (wakesDue === true) lanes.wake(laneIds)
    },
    chores: [feed]
  })
  for (const laneId of woken) {
    dispatch.setLane(laneId, { isOrdered: true })
    dispatch.add(laneId)
  }
  lanes.wake(woken)
  const failures: string[] = []
  const recoveries: string[] = []
  const dispatcher = new Dispatcher({
    dispatch,
    lanes,
    clock,
    random: () => 0,
    schedule: options.schedule ?? [],
    disableAfterMs: 1e9,
    maxLanes,
    renewEveryMs: 10_000,
    observer: {
      ...SILENT_OBSERVER,
      failed: step => failures.push(step),
      worked: step => recoveries.push(step)
    }
  })
  t.teardown(async () => {
    const stopped = dispatcher.stop(0, () => undefined)
    for (let n = 0; n < 10; n++) await clock.advanceAsync(1_000)
    await stopped
  })
  return { dispatcher, clock, lanes, dispatch, served, failures, recoveries, chores }
}

t.test('a chore with more to do runs again at once, otherwise after its interval', async t => {
  const { clock, chores } = setup(t, {
    chore: async nth => ({ isMore: nth <= 3, hasWoken: false })
  })
  await clock.advanceAsync(0)
  t.same(chores, [0, 0, 0, 0])
  await clock.advanceAsync(100)
  t.same(chores, [0, 0, 0, 0, 100])
})

t.test('a step that fails is retried ever more rarely, and the others go on', async t => {
  const { clock, chores, failures, lanes } = setup(t, {
    async chore(nth) {
      if (nth <= 4) throw new Error('away')
      return IDLE
    }
  })
  await clock.advanceAsync(1_000)
  t.same(chores.slice(0, 6), [0, 50, 150, 350, 750, 850])
  t.same(failures, ['feed', 'feed', 'feed', 'feed'])
  t.same(lanes.claims, [0, 500, 1_000])
})

t.test('no more than `maxLanes` are worked on; one that ends makes room at once', async t => {
  const { clock, lanes, dispatch } = setup(t, { maxLanes: 2, woken: ['a', 'b', 'c'] })
  await clock.advanceAsync(500)
  t.equal(lanes.claimed.length, 2)
  t.equal(dispatch.underWay, 2)
  await clock.advanceAsync(600)
  t.equal(dispatch.underWay, 1, 'without waiting for the next claim')
  await clock.advanceAsync(2_000)
  t.same(
    lanes.released,
    ['a', 'b', 'c'].map(laneId => ({ laneId, wakeAgain: false }))
  )
})

t.test('when others wait, a lane is released after its turn, and woken again', async t => {
  const { clock, lanes, served } = setup(t, {
    maxLanes: 1,
    woken: ['a', 'b'],
    isEndless: true
  })
  await clock.advanceAsync(8_500)
  t.same(lanes.released[0], { laneId: 'a', wakeAgain: true })
  t.same(lanes.released[1], { laneId: 'b', wakeAgain: true })
  t.ok(served.lastIndexOf('a') > served.indexOf('b'), 'they take turns')
})

t.test('a lane woken while lanes are being claimed is claimed right after', async t => {
  let isMaking = false
  const { clock, lanes } = setup(t, {
    async chore() {
      if (!isMaking) return IDLE
      isMaking = false
      lanes.wake(['g'])
      return { isMore: false, hasWoken: true }
    }
  })
  await clock.advanceAsync(0)
  lanes.claimMs = 150
  await clock.advanceAsync(500)
  t.same(lanes.claims, [0, 500])
  isMaking = true
  await clock.advanceAsync(200)
  t.same(lanes.claims, [0, 500, 650])
  await clock.advanceAsync(200)
  t.same(
    lanes.released.map(({ laneId }) => laneId),
    ['g']
  )
})

t.test('a due duty is found within a second, even if its note was lost', async t => {
  const { clock, dispatch, served } = setup(t, { wakesDue: true })
  await clock.advanceAsync(100)
  dispatch.add('forgotten')
  await clock.advanceAsync(1_000)
  t.equal(dispatch.underWay, 1)
  await clock.advanceAsync(1_000)
  t.same(served, ['forgotten'])
})

t.test('a failed duty is retried by its schedule, and given up at the end of it', async t => {
  const { clock, dispatch } = setup(t, {
    woken: ['a'],
    schedule: [5_000, 60_000],
    isFailing: () => true,
    wakesDue: true
  })
  await clock.advanceAsync(200_000)
  t.match(dispatch.duties, [{ state: 'given-up', attempts: 3 }])
  const startedAtMs = dispatch.outcomes.map(outcome => outcome.startedAtMs - clock.epochMs())
  const [first = 0, second = 0, third = 0] = startedAtMs
  // A step takes between 90 and 110 % of its time, a look for what is due up to a second.
  t.ok(second - first >= 5_500 && second - first < 7_500, `${second - first} ms`)
  t.ok(third - second >= 55_000 && third - second < 58_000, `${third - second} ms`)
})

t.test('a lost lane begins nothing after what is under way', async t => {
  const { clock, lanes, dispatch, dispatcher } = setup(t, { isEndless: true, woken: ['a'] })
  await clock.advanceAsync(9_500)
  for (const lane of lanes.claimed) lanes.lost.add(lane)
  await clock.advanceAsync(400)
  t.equal(dispatcher.lanes, 1)
  await clock.advanceAsync(1_000)
  t.equal(dispatcher.lanes, 0)
  t.equal(dispatch.begun.length, 10)
})

t.test('a lane whose work fails is released, and not woken again at once', async t => {
  const { clock, lanes, dispatch, failures, dispatcher } = setup(t)
  dispatch.findFault = new Error('the database is away')
  lanes.wake(['a'])
  await clock.advanceAsync(500)
  t.same(failures, ['lane'])
  t.same(lanes.released, [{ laneId: 'a', wakeAgain: false }])
  t.equal(dispatcher.lanes, 0)
})

t.test('a lane that cannot be released is held until it can be', async t => {
  const { clock, lanes, dispatch, failures, dispatcher } = setup(t, { woken: ['a'] })
  lanes.releaseFault = new Error('the database is away')
  await clock.advanceAsync(10_000)
  t.equal(dispatcher.lanes, 1)
  t.ok(failures.length > 2 && failures.every(step => step === 'lane'))
  t.ok(failures.length < 15, 'ever more rarely')
  lanes.releaseFault = null
  await clock.advanceAsync(5_000)
  t.same(lanes.released, [{ laneId: 'a', wakeAgain: false }])
  t.equal(dispatcher.lanes, 0)
  t.equal(dispatch.begun.length, 1)
})

t.test('a lane that cannot be released does not hold up a stop', async t => {
  const { clock, lanes, dispatcher } = setup(t, { woken: ['a'] })
  lanes.releaseFault = new Error('the database is away')
  await clock.advanceAsync(3_000)
  let isStopped = false
  const stopped = dispatcher.stop(10_000, () => undefined).then(() => (isStopped = true))
  await clock.advanceAsync(0)
  t.equal(isStopped, true)
  t.same(lanes.released, [])
  await stopped
})

t.test('a lane that cannot be opened is paused for a minute', async t => {
  const { clock, lanes, dispatch, failures } = setup(t, { woken: ['a'] })
  dispatch.setLane('a', {
    circuitOpened: 2,
    open() {
      throw new Error('wrong key')
    }
  })
  await clock.advanceAsync(500)
  t.same(dispatch.changes, [
    { laneId: 'a', change: { kind: 'paused', forMs: 60_000, circuitOpened: 2 } }
  ])
  t.same(dispatch.begun, [])
  t.same(failures, ['lane'])
  t.match(lanes.released, [{ laneId: 'a' }])
})

for (const { what, change, want } of [
  {
    what: 'a change to a lane counts while it is worked on',
    change: { version: '2', open: () => 'b' },
    want: 'aaaaab'
  },
  {
    what: 'a change of a lane’s health does not end its turn',
    change: { failingForMs: 5, circuitOpened: 1, open: () => 'b' },
    want: 'aaaaaa'
  }
]) {
  t.test(what, async t => {
    const { clock, dispatch } = setup(t, { isEndless: true, woken: ['a'] })
    await clock.advanceAsync(500)
    dispatch.setLane('a', change)
    await clock.advanceAsync(5_000)
    t.equal(dispatch.openedAs.join(''), want)
  })
}

t.test('a failure to record outcomes is reported, and so is its end', async t => {
  const { clock, dispatch, failures, recoveries } = setup(t, { woken: ['a'] })
  dispatch.settleFault = new Error('the database is away')
  await clock.advanceAsync(5_000)
  t.ok(failures.length > 2 && failures.every(step => step === 'record'))
  t.notOk(recoveries.includes('record'))
  dispatch.settleFault = null
  await clock.advanceAsync(5_000)
  t.ok(recoveries.includes('record'))
  t.match(dispatch.duties, [{ state: 'done', attempts: 1 }])
  t.equal(dispatch.begun.length, 1, 'and nothing was attempted again')
})

t.test('stopping waits for attempts under way and begins none', async t => {
  const { clock, lanes, dispatch, dispatcher } = setup(t, { woken: ['a'] })
  await clock.advanceAsync(100)
  let isStopped = false
  let isCutOff = false
  void dispatcher.stop(5_000, () => (isCutOff = true)).then(() => (isStopped = true))
  dispatch.add('b')
  lanes.wake(['b'])
  await clock.advanceAsync(500)
  t.notOk(isStopped)
  await clock.advanceAsync(600)
  t.ok(isStopped)
  t.notOk(isCutOff)
  t.equal(dispatch.begun.length, 1)
  t.match(dispatch.duties[0], { state: 'done' })
  t.match(lanes.released, [{ laneId: 'a' }])
  t.equal(clock.pending(), 0)
})

t.test('a lane claimed while the process stops is released before the stop ends', async t => {
  const { clock, lanes, dispatch, dispatcher } = setup(t)
  await clock.advanceAsync(0)
  lanes.claimMs = 300
  lanes.releaseMs = 100
  dispatch.add('a')
  lanes.wake(['a'])
  await clock.advanceAsync(600)
  let releasedWhenStopped = -1
  const stopped = dispatcher.stop(5_000, () => undefined)
  void stopped.then(() => (releasedWhenStopped = lanes.released.length))
  await clock.advanceAsync(1_000)
  t.equal(releasedWhenStopped, 1)
  t.same(dispatch.begun, [])
})

t.test('a stop cuts off slow attempts, and abandons what cannot be recorded', async t => {
  const { clock, dispatch, dispatcher } = setup(t, { woken: ['a'] })
  dispatch.settleFault = new Error('the database is away')
  await clock.advanceAsync(900)
  let cutOffAtMs = 0
  let stoppedAtMs = 0
  const stopped = dispatcher.stop(300, () => (cutOffAtMs = clock.monotonicMs()))
  void stopped.then(() => (stoppedAtMs = clock.monotonicMs()))
  await clock.advanceAsync(2_000)
  t.equal(cutOffAtMs, 1_200)
  t.equal(stoppedAtMs, 1_200)
  t.match(dispatch.duties, [{ state: 'due', attempts: 0 }], 'it stays due')
})
