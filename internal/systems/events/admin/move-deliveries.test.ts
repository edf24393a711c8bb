import t from 'tap'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { type MoveOptions, moveDeliveries } from './move-deliveries.js'

/** Pages of a list of `total` deliveries; the place is the number of those behind. */
function setup(total: number, over: Partial<MoveOptions<number>> = {}) {
  const clock = createManualClock()
  const pages: number[] = []
  const options: MoveOptions<number> = {
    page: (after, maxRows) => {
      const deliveries = Math.min(maxRows, total - after)
      pages.push(deliveries)
      return Promise.resolve({ deliveries, last: deliveries === 0 ? null : after + deliveries })
    },
    start: 0,
    limit: null,
    ratePerSecond: null,
    clock,
    signal: new AbortController().signal,
    onMoved: () => undefined,
    ...over
  }
  return { clock, pages, options }
}

t.test('every page is worked on, and the limit is exact', async t => {
  const all = setup(2_500)
  t.same(await moveDeliveries(all.options), {
    moved: 2_500,
    isInterrupted: false,
    isDisabled: false
  })
  t.same(all.pages, [1_000, 1_000, 500, 0])
  const some = setup(2_500, { limit: 1_001 })
  t.equal((await moveDeliveries(some.options)).moved, 1_001)
  t.same(some.pages, [1_000, 1])
})

t.test('an empty page is not the end while there is a place behind it', async t => {
  let calls = 0
  const { options } = setup(0, {
    page: after =>
      Promise.resolve({ deliveries: after === 2 ? 1 : 0, last: ++calls < 4 ? after + 1 : null })
  })
  t.equal((await moveDeliveries(options)).moved, 1)
  t.equal(calls, 4)
})

t.test('the rate is kept', async t => {
  const told: number[] = []
  const { clock, options } = setup(100, { ratePerSecond: 10, onMoved: moved => told.push(moved) })
  const moving = moveDeliveries(options)
  await clock.advanceAsync(3_999)
  t.equal(told.at(-1), 40)
  await clock.advanceAsync(60_000)
  t.equal((await moving).moved, 100)
})

t.test('an interruption takes effect before the next page, and is reported', async t => {
  const stop = new AbortController()
  const { options, pages } = setup(5_000, {
    signal: stop.signal,
    onMoved: moved => moved === 2_000 && stop.abort()
  })
  t.same(await moveDeliveries(options), { moved: 2_000, isInterrupted: true, isDisabled: false })
  t.equal(pages.length, 2)
})

t.test('a run ends when its endpoint is disabled meanwhile', async t => {
  const { options } = setup(0, {
    page: after => Promise.resolve(after === 0 ? { deliveries: 5, last: 5 } : null)
  })
  t.same(await moveDeliveries(options), { moved: 5, isInterrupted: false, isDisabled: true })
})
