import t, { type Test } from 'tap'
import type { Lane } from '../../../engine/dispatch/lanes.js'
import type { SenderStep } from '../../../engine/dispatch/observer.js'
import { Recorder } from '../../../engine/dispatch/recorder.js'
import { Sender } from '../../../engine/dispatch/sender.js'
import type { PostResult } from '../../../engine/egress/result.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { SILENT_OBSERVER } from '../../../lab/testing/silent-observer.js'
import type { DueDelivery, EndpointChange, FanOut, SealedEndpoint } from './store/deliveries.js'

const NOTHING: FanOut = { events: 0, deliveries: 0 }

interface Setup {
  /** Endpoints whose lanes wait from the beginning. */
  readonly called?: readonly number[]
  readonly maxLanes?: number
  readonly fanOut?: (nth: number) => FanOut | null | Error
  readonly open?: (endpoint: SealedEndpoint) => void
  readonly endDisabled?: (nth: number) => number
  /** There is always something due. */
  readonly isEndless?: boolean
}

/**
 * A sender on lanes and deliveries in memory and a clock of the test's: each endpoint has
 * one delivery due, whose attempt takes a second.
 */
function setup(
  t: Test,
  {
    called = [],
    maxLanes = 10,
    fanOut = () => NOTHING,
    open = () => undefined,
    endDisabled = () => 0,
    isEndless = false
  }: Setup = {}
) {
  const clock = createManualClock()
  const notes: number[] = [...called]
  const taken: Lane[] = []
  const left: { endpointId: number; callAgain: boolean }[] = []
  const lost = new Set<Lane>()
  const changes: { endpointId: number; change: EndpointChange }[] = []
  const failures: SenderStep[] = []
  const posts: number[] = []
  const takes: number[] = []
  const fanOuts: number[] = []
  const sweeps: number[] = []
  let underWay = 0
  let takeMs = 0
  let leaveMs = 0
  let leaveFault: Error | null = null
  let endpointFault: Error | null = null
  let endpointChange: Partial<SealedEndpoint> = {}
  const wait = (ms: number): Promise<void> =>
    ms === 0 ? Promise.resolve() : new Promise(resolve => clock.after(ms, resolve))
  const done = new Set<number>()
  const deliveries = {
    async fanOut() {
      fanOuts.push(clock.monotonicMs())
      const made = fanOut(fanOuts.length)
      if (made instanceof Error) throw made
      return made
    },
    callDue: () => Promise.resolve(0),
    endDisabled() {
      sweeps.push(clock.monotonicMs())
      return Promise.resolve(endDisabled(sweeps.length))
    },
    endpoint(id: number): Promise<SealedEndpoint> {
      if (endpointFault !== null) return Promise.reject(endpointFault)
      const plain = {
        client: 'client-1',
        url: String(id),
        isOrdered: true,
        maxConcurrency: 1,
        maxPerSecond: null,
        timeoutMs: 1_000
      }
      return Promise.resolve({
        ...plain,
        id,
        sealedSecrets: [],
        sealedHeaders: null,
        failingForMs: null,
        circuitOpened: 0,
        ...endpointChange
      })
    },
    due(endpointId: number): Promise<readonly DueDelivery[]> {
      const due = {
        id: String(endpointId),
        attempts: 0,
        scheduled: 0,
        messageId: 'e',
        eventType: 'user-app',
        payload: '1',
        receivedAtMs: 0
      }
      return Promise.resolve(done.has(endpointId) ? [] : [due])
    },
    settle: () => Promise.resolve(),
    change(endpointId: number, change: EndpointChange) {
      changes.push({ endpointId, change })
      return Promise.resolve()
    },
    backlog: () => Promise.reject(new Error('nobody asks'))
  }
  const lanes = {
    async take(max: number) {
      takes.push(clock.monotonicMs())
      // As a database does: what is called in the same turn is there.
      await Promise.resolve()
      const got = notes.splice(0, max).map((endpointId): Lane => ({ endpointId }))
      await wait(takeMs)
      taken.push(...got)
      return got
    },
    keep: (kept: readonly Lane[]) => Promise.resolve(kept.filter(lane => lost.has(lane))),
    async leave(lane: Lane, callAgain: boolean) {
      await wait(leaveMs)
      if (leaveFault !== null) throw leaveFault
      left.push({ endpointId: lane.endpointId, callAgain })
      if (callAgain) notes.push(lane.endpointId)
    },
    close: () => Promise.resolve()
  }
  const post = async ({ url }: { readonly url: string }): Promise<PostResult> => {
    posts.push(Number(url))
    underWay += 1
    await wait(1_000)
    underWay -= 1
    if (!isEndless) done.add(Number(url))
    return { kind: 'answered', status: 200, responseHead: '', ms: 1_000 }
  }
  const nothing = (): void => undefined
  const sender = new Sender({
    deliveries,
    lanes,
    recorder: new Recorder({ deliveries, clock, random: () => 0, onFault: nothing }),
    post,
    open({ sealedSecrets: _, sealedHeaders: __, ...plain }) {
      open({ ...plain, sealedSecrets: [], sealedHeaders: null })
      return { ...plain, signer: { sign: () => '' }, headers: [] }
    },
    clock,
    random: () => 0,
    schedule: [],
    disableAfterMs: 1e9,
    maxLanes,
    keepEveryMs: 10_000,
    observer: { ...SILENT_OBSERVER, failed: step => failures.push(step) }
  })
  t.teardown(async () => {
    const stopped = sender.stop(0, nothing)
    for (let n = 0; n < 10; n++) await clock.advanceAsync(1_000)
    await stopped
  })
  return {
    sender,
    clock,
    notes,
    taken,
    left,
    lost,
    changes,
    failures,
    posts,
    takes,
    fanOuts,
    sweeps,
    underWay: () => underWay,
    slowLeave: (ms: number) => (leaveMs = ms),
    slowTake: (ms: number) => (takeMs = ms),
    setEndpoint: (change: Partial<SealedEndpoint>) => (endpointChange = change),
    failLeave: (fault: Error | null) => (leaveFault = fault),
    failEndpoint: (fault: Error | null) => (endpointFault = fault)
  }
}

t.test(
  'full pages of the fan-out follow each other at once, the next look comes after a tenth of a second',
  async t => {
    const { clock, fanOuts } = setup(t, {
      fanOut: nth => (nth <= 3 ? { events: 2_000, deliveries: 0 } : NOTHING)
    })
    await clock.advanceAsync(0)
    t.same(fanOuts, [0, 0, 0, 0])
    await clock.advanceAsync(100)
    t.same(fanOuts, [0, 0, 0, 0, 100])
  }
)

t.test('a step that fails comes again, ever more rarely, and the others go on', async t => {
  const { clock, fanOuts, failures, sweeps } = setup(t, {
    fanOut: nth => (nth <= 4 ? new Error('away') : NOTHING)
  })
  await clock.advanceAsync(1_000)
  t.same(fanOuts.slice(0, 6), [0, 50, 150, 350, 750, 850])
  t.same(failures, ['fan-out', 'fan-out', 'fan-out', 'fan-out'])
  t.same(sweeps, [0, 1_000])
})

t.test('what disabled endpoints are owed is ended without a pause while there is more', async t => {
  const { clock, sweeps } = setup(t, { endDisabled: nth => (nth < 3 ? 5_000 : 10) })
  await clock.advanceAsync(1_000)
  t.same(sweeps, [0, 0, 0, 1_000])
})

t.test('no more lanes are worked on than may be; the next is taken when one is left', async t => {
  const { clock, taken, left, underWay } = setup(t, { maxLanes: 2, called: [1, 2, 3] })
  await clock.advanceAsync(500)
  t.equal(taken.length, 2)
  t.equal(underWay(), 2)
  await clock.advanceAsync(600)
  t.equal(underWay(), 1, 'at once, not at the next look')
  await clock.advanceAsync(2_000)
  t.same(left, [
    { endpointId: 1, callAgain: false },
    { endpointId: 2, callAgain: false },
    { endpointId: 3, callAgain: false }
  ])
})

t.test('a lane that is called while lanes are being taken is taken right afterwards', async t => {
  let isMaking = false
  const { clock, notes, takes, taken, slowTake } = setup(t, {
    fanOut: () => {
      if (!isMaking) return NOTHING
      isMaking = false
      notes.push(7)
      return { events: 1, deliveries: 1 }
    }
  })
  await clock.advanceAsync(0)
  slowTake(150)
  await clock.advanceAsync(500)
  t.same(takes, [0, 500])
  isMaking = true
  await clock.advanceAsync(200)
  t.same(takes, [0, 500, 650])
  await clock.advanceAsync(200)
  t.match(taken, [{ endpointId: 7 }])
})

t.test('a lane that is lost stops at what is under way', async t => {
  const { clock, taken, lost, posts, sender } = setup(t, { isEndless: true, called: [1] })
  await clock.advanceAsync(9_500)
  for (const lane of taken) lost.add(lane)
  await clock.advanceAsync(400)
  t.equal(sender.lanes, 1)
  await clock.advanceAsync(2_000)
  t.equal(sender.lanes, 0)
  t.equal(posts.length, 10)
})

t.test('a lane whose work fails is left and not called again at once', async t => {
  const { clock, notes, left, failures, failEndpoint, sender } = setup(t)
  failEndpoint(new Error('the database is away'))
  notes.push(1)
  await clock.advanceAsync(500)
  t.same(failures, ['lane'])
  t.same(left, [{ endpointId: 1, callAgain: false }])
  t.equal(sender.lanes, 0)
})

t.test('a lane that cannot be left is kept, and left when that works', async t => {
  const { clock, notes, left, failures, posts, failLeave, sender } = setup(t)
  failLeave(new Error('the database is away'))
  notes.push(1)
  await clock.advanceAsync(10_000)
  t.equal(sender.lanes, 1)
  t.ok(failures.length > 2 && failures.every(step => step === 'lane'))
  t.ok(failures.length < 15, 'ever more rarely')
  failLeave(null)
  await clock.advanceAsync(5_000)
  t.same(left, [{ endpointId: 1, callAgain: false }])
  t.equal(sender.lanes, 0)
  t.equal(posts.length, 1)
})

t.test('a lane that cannot be left does not hold up the end', async t => {
  const { clock, notes, left, failLeave, sender } = setup(t)
  failLeave(new Error('the database is away'))
  notes.push(1)
  await clock.advanceAsync(3_000)
  let isStopped = false
  const stopped = sender.stop(10_000, () => undefined).then(() => (isStopped = true))
  await clock.advanceAsync(0)
  t.equal(isStopped, true)
  t.same(left, [])
  await stopped
})

t.test('an endpoint whose secrets do not open is paused for a minute', async t => {
  const { clock, notes, changes, posts, left } = setup(t, {
    open: () => {
      throw new Error('wrong key')
    }
  })
  notes.push(1)
  await clock.advanceAsync(500)
  t.match(changes, [{ endpointId: 1, change: { kind: 'paused', forMs: 60_000 } }])
  t.same(posts, [])
  t.match(left, [{ endpointId: 1 }])
})

for (const { what, change, want } of [
  {
    what: 'a new URL counts while the lane is worked on',
    change: { url: '99' },
    want: [1, 1, 1, 1, 1, 99]
  },
  {
    what: 'its health, which the sender itself changes, ends no turn',
    change: { failingForMs: 5, circuitOpened: 1 },
    want: [1, 1, 1, 1, 1, 1]
  }
]) {
  t.test(what, async t => {
    const { clock, posts, setEndpoint } = setup(t, { isEndless: true, called: [1] })
    await clock.advanceAsync(500)
    setEndpoint(change)
    await clock.advanceAsync(5_000)
    t.same(posts, want)
  })
}

t.test(
  'stopping waits for attempts under way and begins none; it ends when they have ended',
  async t => {
    const { clock, notes, left, posts, sender } = setup(t, { called: [1] })
    await clock.advanceAsync(100)
    let isStopped = false
    let isCutOff = false
    void sender.stop(5_000, () => (isCutOff = true)).then(() => (isStopped = true))
    notes.push(2)
    await clock.advanceAsync(500)
    t.notOk(isStopped)
    await clock.advanceAsync(600)
    t.ok(isStopped)
    t.notOk(isCutOff)
    t.same(posts, [1])
    t.match(left, [{ endpointId: 1 }])
  }
)

t.test(
  'a lane that comes while the sender stops is left, before the sender has stopped',
  async t => {
    const { clock, notes, left, posts, sender, slowTake, slowLeave } = setup(t)
    await clock.advanceAsync(0)
    slowTake(300)
    slowLeave(100)
    notes.push(1)
    await clock.advanceAsync(600)
    let leftWhenStopped = -1
    void sender.stop(5_000, () => undefined).then(() => (leftWhenStopped = left.length))
    await clock.advanceAsync(1_000)
    t.equal(leftWhenStopped, 1)
    t.same(posts, [])
  }
)

t.test('what takes too long is cut off', async t => {
  const { clock, sender } = setup(t, { called: [1] })
  await clock.advanceAsync(100)
  let cutOffAtMs = 0
  void sender.stop(300, () => (cutOffAtMs = clock.monotonicMs()))
  await clock.advanceAsync(2_000)
  t.equal(cutOffAtMs, 400)
})
