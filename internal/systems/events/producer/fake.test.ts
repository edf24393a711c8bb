import t from 'tap'
import { createManualClock, type ManualClock } from '../../../lab/testing/manual-clock.js'
import { writerOf } from '../../../lab/testing/writer-of.js'
import { runFakeProducers } from './fake.js'
import type { SendProblem } from './send.js'

/** Never draws a bad body: three messages per tick. */
const random = { below: (limit: number) => limit - 1, uuid: () => '' }

/** `send` gives the code with which a call fails, or undefined. */
function setup(
  send: (call: number, clock: ManualClock) => string | undefined | Promise<undefined> = () =>
    undefined
) {
  const clock = createManualClock()
  const stop = new AbortController()
  const problems: SendProblem[] = []
  const sentAtMs: number[] = []
  let calls = 0
  const queue = writerOf(async messages => {
    const code = await send(++calls, clock)
    return messages.map((_, index) =>
      code === undefined ? { id: `${calls}-${index}` } : { code, retryable: true }
    )
  })
  const run = runFakeProducers({
    queue,
    clock,
    random,
    tickMs: 100,
    signal: stop.signal,
    jitter: () => 0,
    onProblem: problem => problems.push(problem),
    onSent: messages => {
      for (let n = 0; n < messages; n++) sentAtMs.push(clock.monotonicMs())
    }
  })
  return { clock, stop, problems, sentAtMs, run, calls: () => calls }
}

t.test('each tick sends one event per fake producer', async t => {
  const { clock, stop, sentAtMs, run } = setup()
  await clock.advanceAsync(250)
  t.same(sentAtMs, [0, 0, 0, 100, 100, 100, 200, 200, 200])
  stop.abort()
  await run
  t.equal(clock.pending(), 0)
})

t.test('a failed send is reported and tried again, and does not end the producers', async t => {
  const { clock, stop, problems, sentAtMs, run } = setup(call =>
    call <= 2 ? 'ECONNREFUSED' : undefined
  )
  await clock.advanceAsync(149)
  t.equal(sentAtMs.length, 0)
  await clock.advanceAsync(1)
  t.same(sentAtMs.slice(0, 3), [150, 150, 150], 'after 50 ms and then 100 ms')
  t.match(problems, [
    { code: 'ECONNREFUSED', entries: 3, retryInMs: 50 },
    { code: 'ECONNREFUSED', entries: 3, retryInMs: 100 }
  ])
  stop.abort()
  await run
})

t.test('a stop lets the current call finish and starts no other', async t => {
  let answer: () => void = () => undefined
  const { clock, stop, sentAtMs, run, calls } = setup(
    () => new Promise<undefined>(resolve => (answer = () => resolve(undefined)))
  )
  await clock.advanceAsync(0)
  stop.abort()
  await clock.advanceAsync(500)
  t.equal(sentAtMs.length, 0)
  answer()
  await run
  t.equal(sentAtMs.length, 3)
  t.equal(calls(), 1)
})

t.test('a slow queue delays the next tick, and missed ticks are not made up for', async t => {
  const { clock, stop, sentAtMs, run } = setup((call, clock) =>
    call === 1
      ? new Promise<undefined>(resolve => clock.after(350, () => resolve(undefined)))
      : undefined
  )
  await clock.advanceAsync(450)
  t.same(sentAtMs, [350, 350, 350, 350, 350, 350, 450, 450, 450])
  stop.abort()
  await run
})
