import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { createBatchPace } from './batch-pace.js'

const never = new AbortController().signal

/**
 * How many messages a pace lets through in `ms`, with every batch as large as allowed.
 */
async function sentWithin(ms: number, ratePerSecond: number): Promise<number> {
  const clock = createManualClock()
  const pace = createBatchPace(ratePerSecond, clock, 10)
  const stop = new AbortController()
  let sent = 0
  const sending = (async () => {
    for (;;) {
      await pace.due(stop.signal)
      if (stop.signal.aborted) return
      pace.spent(pace.batchSize)
      sent += pace.batchSize
    }
  })()
  await clock.advanceAsync(ms)
  stop.abort()
  await sending
  return sent
}

t.test('the rate is kept, however low, from the first batch on', async t => {
  t.equal(await sentWithin(999, 1), 1)
  t.equal(await sentWithin(1_000, 1), 2)
  t.equal(await sentWithin(3_999, 0.5), 2)
  t.equal(await sentWithin(999, 3), 3)
  t.equal(await sentWithin(9_999, 100), 1_000)
})

t.test('a pause is not followed by a burst', async t => {
  const clock = createManualClock()
  const pace = createBatchPace(10, clock, 10)
  await pace.due(never)
  pace.spent(10)
  clock.advance(60_000)
  await pace.due(never)
  pace.spent(10)
  let isDue = false
  const due = pace.due(never).then(() => (isDue = true))
  await clock.advanceAsync(999)
  t.equal(isDue, false)
  await clock.advanceAsync(1)
  await due
})

t.test('without a rate nothing waits, and a stop ends a wait', async t => {
  const clock = createManualClock()
  const free = createBatchPace(null, clock, 10)
  t.equal(free.batchSize, 10)
  free.spent(1_000)
  await free.due(never)
  const slow = createBatchPace(0.001, clock, 10)
  slow.spent(1)
  const stop = new AbortController()
  const waiting = slow.due(stop.signal)
  stop.abort()
  await waiting
  t.equal(clock.pending(), 0)
})
