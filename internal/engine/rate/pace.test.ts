import t from 'tap'
import { createManualClock, type ManualClock } from '../../lab/testing/manual-clock.js'
import { Pace } from './pace.js'

/** Runs attempts in this many slots, and returns when each began. */
function begin(
  pace: Pace,
  clock: ManualClock,
  { slots, attempts }: { slots: number; attempts: number },
  signal = new AbortController().signal
): number[] {
  const begun: number[] = []
  let left = attempts
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await pace.wait(signal)
      begun.push(clock.monotonicMs())
    }
  }
  for (let slot = 0; slot < slots; slot++) void work()
  return begun
}

/** The most that began within any `windowMs`. */
function most(begun: readonly number[], windowMs: number): number {
  return Math.max(
    ...begun.map(at => begun.filter(other => other >= at && other < at + windowMs).length)
  )
}

for (const slots of [1, 10]) {
  t.test(`a rate is kept after a first burst of one second: ${slots} at a time`, async t => {
    const clock = createManualClock()
    const begun = begin(new Pace(20, clock), clock, { slots, attempts: 220 })
    await clock.advanceAsync(10_000)
    // A second's worth, then twenty a second.
    t.ok(begun.length >= 215 && begun.length <= 221, `${begun.length} in ten seconds`)
    const settled = begun.filter(at => at >= 1_000)
    t.ok(most(settled, 1_000) <= 21, `at most ${most(settled, 1_000)} within any second`)
    t.ok(most(begun, 1_000) <= 41)
  })
}

t.test('a rate below one per second is kept too', async t => {
  const clock = createManualClock()
  const begun = begin(new Pace(0.5, clock), clock, { slots: 3, attempts: 10 })
  await clock.advanceAsync(10_500)
  // The second attempt takes the tokens of the first millisecond, and the others wait for
  // its debt.
  t.same(
    begun.map(at => Math.round(at / 1_000)),
    [0, 0, 2, 4, 6, 8, 10]
  )
})

t.test('without a rate no attempt waits', async t => {
  const clock = createManualClock()
  const begun = begin(new Pace(null, clock), clock, { slots: 1, attempts: 1_000 })
  await clock.advanceAsync(0)
  t.equal(begun.length, 1_000)
  t.equal(clock.pending(), 0)
})

t.test('an abort ends all waits, and leaves no timer behind', async t => {
  const clock = createManualClock()
  const stop = new AbortController()
  const begun = begin(new Pace(1, clock), clock, { slots: 5, attempts: 5 }, stop.signal)
  await clock.advanceAsync(0)
  t.equal(begun.length, 1)
  stop.abort()
  await clock.advanceAsync(0)
  t.equal(begun.length, 5)
  t.equal(clock.pending(), 0)
})
