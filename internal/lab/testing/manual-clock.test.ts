import t from 'tap'
import { createManualClock } from './manual-clock.js'

await t.test(
  'time stands still until it is moved, and durations are not wall-clock times',
  async t => {
    const clock = createManualClock(1_000)
    t.equal(clock.monotonicMs(), 0)
    t.equal(clock.epochMs(), 1_000)
    clock.advance(5)
    t.equal(clock.monotonicMs(), 5)
    t.equal(clock.epochMs(), 1_005)
  }
)

await t.test('timers run in the order of their due times, each at its own time', async t => {
  const clock = createManualClock()
  const ran: string[] = []
  const note = (name: string) => () => ran.push(`${name}@${clock.monotonicMs()}`)
  clock.after(20, note('late'))
  clock.after(10, note('early'))
  clock.after(10, note('early too'))
  clock.after(10, () => clock.after(5, note('set by a timer')))
  const cancel = clock.after(15, note('cancelled'))
  cancel()

  clock.advance(9)
  t.strictSame(ran, [], 'nothing is due yet')
  clock.advance(1)
  t.strictSame(ran, ['early@10', 'early too@10'])
  await clock.advanceAsync(10)
  t.strictSame(ran, ['early@10', 'early too@10', 'set by a timer@15', 'late@20'])
  t.equal(clock.pending(), 0)
})

await t.test('promises run between timers', async t => {
  const clock = createManualClock()
  const ran: string[] = []
  const wait = (ms: number) => new Promise<void>(resolve => clock.after(ms, resolve))
  const loop = async () => {
    for (let round = 1; round <= 3; round++) {
      await wait(10)
      ran.push(`round ${round} at ${clock.monotonicMs()}`)
    }
  }
  const done = loop()
  await clock.advanceAsync(30)
  t.strictSame(ran, ['round 1 at 10', 'round 2 at 20', 'round 3 at 30'])
  await done
})
