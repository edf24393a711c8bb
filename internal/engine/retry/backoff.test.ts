import t from 'tap'
import { backoffMs } from './backoff.js'

const limits = { baseMs: 100, maxMs: 10_000 }
const lowest = () => 0
const highest = () => 1

await t.test('the delay doubles with each failed attempt until it reaches its maximum', async t => {
  const rows = [
    { attempt: 1, fromMs: 50, toMs: 100 },
    { attempt: 2, fromMs: 100, toMs: 200 },
    { attempt: 3, fromMs: 200, toMs: 400 },
    { attempt: 7, fromMs: 3_200, toMs: 6_400 },
    { attempt: 8, fromMs: 5_000, toMs: 10_000 },
    { attempt: 9, fromMs: 5_000, toMs: 10_000 }
  ]
  for (const { attempt, fromMs, toMs } of rows) {
    t.equal(backoffMs(attempt, limits, lowest), fromMs, `attempt ${attempt}, lowest draw`)
    t.equal(backoffMs(attempt, limits, highest), toMs, `attempt ${attempt}, highest draw`)
  }
})

await t.test('half of the delay is random', async t => {
  t.equal(
    backoffMs(2, limits, () => 0.5),
    150
  )
})

await t.test('an outage of any length keeps the delay finite', async t => {
  t.equal(backoffMs(5_000, limits, highest), 10_000)
  t.equal(backoffMs(5_000, { baseMs: 0, maxMs: 10_000 }, highest), 0)
})

await t.test('a count below one waits like the first attempt', async t => {
  t.equal(backoffMs(0, limits, highest), 100)
})
