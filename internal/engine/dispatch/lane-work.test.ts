import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import {
  askAgain,
  CLOSED,
  DONE,
  FAILED,
  failedWith,
  GIVEN_UP,
  type MemoryAttempt,
  MemoryDispatch,
  type MemoryDuty,
  type MemoryLane
} from '../../lab/testing/memory-dispatch.js'
import { SILENT_OBSERVER } from '../../lab/testing/silent-observer.js'
import { LaneWork } from './lane-work.js'
import { Recorder } from './recorder.js'

const HOUR_MS = 3_600_000
const LANE = 'a'

interface Setup {
  readonly lane?: MemoryLane
  readonly due?: number
  readonly schedule?: readonly number[]
  readonly disableAfterMs?: number
  readonly mayGoOn?: () => boolean
  readonly settleMs?: number
  readonly answer?: (dutyId: string, nth: number) => MemoryAttempt | null
  readonly attemptMs?: (dutyId: string) => number
}

/** The work for one lane on a store in memory, and what it did. */
function setup({ lane = {}, due = 0, answer = () => DONE, attemptMs, ...options }: Setup = {}) {
  const clock = createManualClock()
  const dispatch = new MemoryDispatch({
    clock,
    answer: ({ id }, nth) => answer(id, nth),
    ...(attemptMs === undefined ? {} : { attemptMs: ({ id }: MemoryDuty) => attemptMs(id) }),
    settleMs: options.settleMs ?? 0
  })
  dispatch.setLane(LANE, lane)
  dispatch.add(LANE, due)
  const nothing = (): void => undefined
  const random = (): number => 0.5
  const work = new LaneWork<string, MemoryDuty, string>(
    { laneId: LANE, found: dispatch.lane(LANE), lane: LANE },
    {
      dispatch,
      recorder: new Recorder({
        settle: outcomes => dispatch.settle(outcomes),
        clock,
        random,
        onFault: nothing,
        onRecorded: nothing
      }),
      clock,
      random,
      schedule: options.schedule ?? [1_000, 60_000],
      disableAfterMs: options.disableAfterMs ?? 120 * HOUR_MS,
      observer: SILENT_OBSERVER,
      mayGoOn: options.mayGoOn ?? (() => true)
    }
  )
  let end: unknown = 'at work'
  const run = (): void => {
    work.run().then(
      how => (end = how),
      (error: unknown) => (end = error)
    )
  }
  const changes = () => dispatch.changes.map(({ change }) => change)
  return { clock, dispatch, work, run, changes, ended: (): unknown => end }
}

const states = ({ duties }: MemoryDispatch): string => duties.map(({ state }) => state).join(' ')
const over = ({ duties }: MemoryDispatch): number =>
  duties.filter(({ state }) => state === 'done').length

for (const maxConcurrency of [1, 3, 10]) {
  t.test(`everything due is attempted, at most ${maxConcurrency} at a time`, async t => {
    const { clock, dispatch, run, ended } = setup({ due: 25, lane: { maxConcurrency } })
    run()
    await clock.advanceAsync(200)
    t.equal(ended(), 'idle')
    t.equal(over(dispatch), 25)
    t.ok(dispatch.duties.every(({ attempts }) => attempts === 1))
    t.equal(dispatch.mostUnderWay, maxConcurrency)
  })
}

t.test('one slow answer holds up neither what is due nor what becomes due', async t => {
  const { clock, dispatch, run, ended } = setup({
    due: 5,
    lane: { maxConcurrency: 2 },
    attemptMs: id => (id === '1' ? 10_000 : 1)
  })
  run()
  await clock.advanceAsync(1_000)
  t.equal(over(dispatch), 4)
  dispatch.add(LANE, 3)
  await clock.advanceAsync(200)
  t.equal(over(dispatch), 7)
  t.equal(ended(), 'at work')
  await clock.advanceAsync(9_000)
  t.equal(ended(), 'idle')
  t.equal(over(dispatch), 8)
})

t.test('a duty that is due again while another is under way is attempted again', async t => {
  const { clock, dispatch, run } = setup({
    due: 2,
    lane: { maxConcurrency: 2 },
    answer: (id, nth) => (id === '2' && nth === 2 ? FAILED : DONE),
    attemptMs: id => (id === '1' ? 10_000 : 1)
  })
  run()
  await clock.advanceAsync(2_000)
  t.same(dispatch.begun, ['1', '2', '2'])
  t.match(dispatch.duties[1], { state: 'done', attempts: 2 })
})

t.test('an ordered lane attempts a duty only once the one before it is recorded', async t => {
  const { clock, dispatch, run, ended } = setup({
    due: 6,
    lane: { isOrdered: true, maxConcurrency: 10 },
    settleMs: 10
  })
  run()
  await clock.advanceAsync(9)
  t.same(dispatch.begun, ['1'])
  await clock.advanceAsync(100)
  t.same(dispatch.begun, ['1', '2', '3', '4', '5', '6'])
  t.equal(dispatch.mostUnderWay, 1)
  t.equal(ended(), 'idle')
})

for (const { what, answer, want } of [
  { what: 'a failure', answer: FAILED, want: ['paused', 'failing'] },
  { what: 'a duty to ask again', answer: askAgain(1_000), want: ['paused'] }
]) {
  t.test(`an ordered lane stops at ${what}, until that duty is due again`, async t => {
    const { clock, dispatch, changes, run, ended } = setup({
      due: 4,
      lane: { isOrdered: true },
      answer: id => (id === '2' ? answer : DONE)
    })
    run()
    await clock.advanceAsync(100)
    t.same(dispatch.begun, ['1', '2'])
    t.equal(states(dispatch), 'done due due due')
    t.equal(ended(), 'idle')
    t.match(changes()[0], { kind: 'paused', forMs: 1_000 })
    t.same(
      changes().map(({ kind }) => kind),
      want
    )
  })
}

for (const { what, answer } of [
  { what: 'whose schedule has ended', answer: FAILED },
  { what: 'that the system gives up', answer: GIVEN_UP }
]) {
  t.test(`a duty of an ordered lane ${what} frees the line`, async t => {
    const { clock, dispatch, run } = setup({
      due: 4,
      lane: { isOrdered: true },
      answer: id => (id === '2' ? answer : DONE),
      schedule: []
    })
    run()
    await clock.advanceAsync(100)
    t.same(dispatch.begun, ['1', '2', '3', '4'])
    t.equal(states(dispatch), 'done given-up done done')
  })
}

t.test('a closed lane is disabled at once: nothing further is begun', async t => {
  const { clock, dispatch, changes, run, ended } = setup({
    due: 10,
    lane: { maxConcurrency: 1 },
    answer: (_, nth) => (nth === 3 ? CLOSED : DONE)
  })
  run()
  await clock.advanceAsync(100)
  t.equal(dispatch.begun.length, 3)
  t.match(changes(), [{ kind: 'disabled', reason: 'it moved away' }])
  t.match(dispatch.outcomes.at(-1), { fate: { kind: 'retry' } }, 'the duty is not over')
  t.equal(ended(), 'idle')
})

t.test('a lane that asks for a rest is left alone for that long, and so is its duty', async t => {
  const { clock, dispatch, changes, run } = setup({
    due: 5,
    lane: { maxConcurrency: 2 },
    answer: () => failedWith(30_000)
  })
  run()
  await clock.advanceAsync(100)
  t.equal(dispatch.begun.length, 2, 'those that were under way')
  t.match(changes()[0], { kind: 'paused', forMs: 30_000 })
  t.match(dispatch.duties[0], { state: 'due' })
  t.ok(dispatch.duties[0]!.dueAtMs >= 30_000)
})

t.test('a rest is not a failure: the circuit stays closed, and the lane stays well', async t => {
  const { clock, dispatch, changes, run } = setup({
    due: 20,
    lane: { maxConcurrency: 20 },
    answer: () => ({
      result: 'busy',
      duty: { kind: 'again', afterMs: 5_000 },
      lane: { kind: 'well', restMs: 5_000 }
    })
  })
  run()
  await clock.advanceAsync(100)
  t.same(changes(), [{ kind: 'paused', forMs: 5_000, circuitOpened: 0 }])
  t.ok(dispatch.duties.every(({ attempts, scheduled }) => attempts === 1 && scheduled === 0))
})

t.test('of the rests that attempts under way ask for, the longest counts', async t => {
  const waits: Readonly<Record<string, number>> = { '1': 30_000, '2': 20_000, '3': 40_000 }
  const { clock, changes, run } = setup({
    due: 3,
    lane: { maxConcurrency: 3 },
    answer: id => failedWith(waits[id] ?? 0),
    attemptMs: Number
  })
  run()
  await clock.advanceAsync(500)
  t.same(
    changes().map(change => (change.kind === 'paused' ? change.forMs : change.kind)),
    [30_000, 40_000, 'failing']
  )
})

t.test('ten failures in a row open the circuit, and the store holds the pause', async t => {
  const { clock, dispatch, changes, run, ended } = setup({
    due: 100,
    lane: { maxConcurrency: 4 },
    answer: () => FAILED
  })
  run()
  await clock.advanceAsync(500)
  const attempts = dispatch.begun.length
  t.ok(attempts >= 10 && attempts < 14, `${attempts}: none after those under way`)
  t.equal(dispatch.outcomes.length, attempts, 'each is recorded')
  t.equal(ended(), 'idle')
  t.match(changes().at(0), { kind: 'paused', forMs: 7_500, circuitOpened: 1 })
  t.match(changes().at(-1), { kind: 'failing' })
})

t.test('after a pause one attempt is made; when it fails the pause is longer', async t => {
  const { clock, dispatch, changes, run } = setup({
    due: 20,
    lane: { failingForMs: HOUR_MS, circuitOpened: 3 },
    answer: () => FAILED
  })
  run()
  await clock.advanceAsync(500)
  t.equal(dispatch.begun.length, 1)
  t.equal(dispatch.outcomes.length, 1, 'the other duties have lost nothing')
  t.same(changes(), [{ kind: 'paused', forMs: 60_000, circuitOpened: 4 }], 'reported once')
})

t.test('after a pause a success closes the circuit, and the lane is well again', async t => {
  const { clock, dispatch, changes, run } = setup({
    due: 20,
    lane: { failingForMs: HOUR_MS, circuitOpened: 3 }
  })
  run()
  await clock.advanceAsync(500)
  t.equal(over(dispatch), 20)
  t.same(changes(), [{ kind: 'healthy' }])
})

t.test('a lane in which nothing has succeeded for too long is disabled', async t => {
  const rows = [
    { failingForMs: 119.99 * HOUR_MS, answer: FAILED, want: undefined },
    {
      failingForMs: 120 * HOUR_MS,
      answer: FAILED,
      want: 'no attempt has succeeded for 120.0 hours'
    },
    { failingForMs: 500 * HOUR_MS, answer: DONE, want: undefined }
  ]
  for (const { failingForMs, answer, want } of rows) {
    const { clock, changes, run } = setup({
      due: 1,
      lane: { failingForMs, circuitOpened: 1 },
      answer: () => answer
    })
    run()
    await clock.advanceAsync(500)
    const disabled = changes().find(change => change.kind === 'disabled')
    t.equal(disabled?.reason, want)
  }
})

t.test('a failure that did not open the circuit does not limit the next turn', async t => {
  const { clock, dispatch, run } = setup({
    due: 5,
    lane: { failingForMs: HOUR_MS },
    answer: () => FAILED
  })
  run()
  await clock.advanceAsync(500)
  t.equal(dispatch.begun.length, 5)
})

t.test('a lane is noted as failing once, and only when its last attempt failed', async t => {
  const answer = (_: string, nth: number) => (nth % 3 === 0 ? FAILED : DONE)
  const well = setup({ due: 10, lane: { maxConcurrency: 1 }, answer })
  well.run()
  await well.clock.advanceAsync(500)
  t.same(well.changes(), [], 'the last one succeeded')
  const ill = setup({ due: 9, lane: { maxConcurrency: 1 }, answer })
  ill.run()
  await ill.clock.advanceAsync(500)
  t.match(ill.changes(), [{ kind: 'failing' }])
  t.equal(ill.changes().length, 1)
})

t.test('after a stop nothing is begun, and what is under way is recorded', async t => {
  const { clock, dispatch, work, run, ended } = setup({
    due: 10,
    lane: { maxConcurrency: 3 },
    attemptMs: () => 5_000
  })
  run()
  await clock.advanceAsync(1_000)
  work.stop()
  await clock.advanceAsync(1_000)
  t.equal(ended(), 'at work')
  await clock.advanceAsync(4_000)
  t.equal(ended(), 'idle')
  t.equal(dispatch.begun.length, 3)
  t.equal(over(dispatch), 3)
  t.equal(clock.pending(), 0)
})

t.test('an attempt that was cut off is neither recorded nor a failure', async t => {
  const { clock, dispatch, changes, work, run, ended } = setup({
    due: 3,
    answer: () => null,
    attemptMs: () => 500
  })
  run()
  await clock.advanceAsync(100)
  work.stop()
  await clock.advanceAsync(1_000)
  t.equal(ended(), 'idle')
  t.ok(dispatch.duties.every(({ attempts, state }) => attempts === 0 && state === 'due'))
  t.same(changes(), [])
})

t.test('a failed read ends the work with its error, after what is under way', async t => {
  const { clock, dispatch, run, ended } = setup({ due: 2, attemptMs: () => 1_000 })
  run()
  await clock.advanceAsync(10)
  dispatch.dueFault = new Error('the database is away')
  await clock.advanceAsync(500)
  t.equal(ended(), 'at work')
  await clock.advanceAsync(1_000)
  t.equal(ended(), dispatch.dueFault)
  t.equal(over(dispatch), 2)
})

t.test('an attempt that throws is a bug: the work ends with it', async t => {
  const bug = new Error('a bug')
  const { clock, dispatch, run, ended } = setup({
    due: 3,
    lane: { maxConcurrency: 1 },
    answer: () => {
      throw bug
    }
  })
  run()
  await clock.advanceAsync(500)
  t.equal(ended(), bug)
  t.equal(dispatch.begun.length, 1)
})

t.test('a turn ends after a second when others wait, and says that there is more', async t => {
  const options = { due: 1_000, lane: { maxConcurrency: 1 }, attemptMs: () => 100 }
  const alone = setup(options)
  alone.run()
  await alone.clock.advanceAsync(5_000)
  t.equal(alone.ended(), 'at work')
  const crowded = setup({ ...options, mayGoOn: () => false })
  crowded.run()
  await crowded.clock.advanceAsync(1_500)
  t.equal(crowded.ended(), 'more')
  const attempts = crowded.dispatch.begun.length
  t.ok(attempts >= 10 && attempts <= 12, `${attempts} in its turn`)
})

for (const { what, change } of [
  { what: 'a change to a lane', change: { version: '2' } },
  { what: 'the removal of a lane', change: null }
]) {
  t.test(`${what} counts within seconds, however much is due`, async t => {
    const { clock, dispatch, run, ended } = setup({
      due: 5_000,
      lane: { maxConcurrency: 2 },
      attemptMs: () => 10
    })
    run()
    await clock.advanceAsync(12_000)
    t.equal(dispatch.finds, 2)
    t.equal(ended(), 'at work')
    if (change === null) dispatch.remove(LANE)
    else dispatch.setLane(LANE, change)
    await clock.advanceAsync(6_000)
    t.equal(ended(), 'more')
    const begun = dispatch.begun.length
    await clock.advanceAsync(1_000)
    t.equal(dispatch.begun.length, begun)
  })
}

t.test('a rate is kept however many may be under way', async t => {
  const { clock, dispatch, run } = setup({
    due: 200,
    lane: { maxPerSecond: 10, maxConcurrency: 10 }
  })
  run()
  await clock.advanceAsync(10_000)
  const attempts = dispatch.begun.length
  t.ok(attempts >= 105 && attempts <= 111, `${attempts} in ten seconds`)
})
