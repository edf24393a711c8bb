import t from 'tap'
import { meterOf, type Reading } from '../../lab/testing/tiny-system/reading.js'
import type { Entry } from '../message/message.js'
import { Backlog } from './backlog.js'
import { Flood } from './flood.js'

/** An entry in a meter's line. */
const entry = (meter: string, n: number): Entry<Reading> => ({
  message: {
    id: `${meter}-${n}`,
    token: 'handle',
    body: '',
    bytes: 100,
    receiveCount: 1,
    sentAtMs: 0
  },
  verdict: { kind: 'valid', item: { meter, id: `${n}`, value: 0 } }
})

/** A backlog with this many entries per line. */
function waiting(counts: Readonly<Record<string, number>>): Backlog<Reading> {
  const backlog = new Backlog<Reading>(
    { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 0, busyMessages: 100 },
    { lineOf: meterOf, weightOf: () => 1 }
  )
  for (const [meter, count] of Object.entries(counts))
    for (let n = 0; n < count; n++) backlog.add(entry(meter, n))
  return backlog
}
const little = waiting({ loud: 1 })

t.test('a line with three quarters of the waiting entries floods the others', async t => {
  const rows: { why: string; counts: Record<string, number>; floods: boolean }[] = [
    { why: 'nearly all', counts: { loud: 190, a: 5, b: 5 }, floods: true },
    { why: 'all', counts: { loud: 100 }, floods: true },
    { why: 'three quarters', counts: { loud: 150, a: 50 }, floods: true },
    { why: 'a little less', counts: { loud: 149, a: 51 }, floods: false },
    { why: 'two alike', counts: { loud: 100, 'as loud': 100 }, floods: false },
    { why: 'nearly all, but few', counts: { loud: 98, a: 1 }, floods: false },
    { why: 'no line', counts: { '': 200 }, floods: false }
  ]
  for (const { why, counts, floods } of rows) {
    const flood = new Flood(meterOf, 100)
    flood.observe(waiting(counts))
    t.equal(flood.isBystander(entry('a', 1)), floods, why)
    t.notOk(flood.isBystander(entry('loud', 1)), `${why}: it is not its own bystander`)
    t.notOk(flood.isBystander(entry('', 1)), `${why}: nobody waits for entries of no line`)
  }
})

t.test('a flood is over some batches after the last one that showed it', async t => {
  const flood = new Flood(meterOf, 100)
  for (let time = 1; time <= 2; time++) {
    flood.observe(waiting({ loud: 200 }))
    for (let batch = 1; batch <= 25; batch++) {
      flood.observe(little)
      flood.observeOthers(little)
    }
    t.ok(flood.isBystander(entry('a', 1)))
    flood.observeOthers(little)
    t.notOk(flood.isBystander(entry('a', 1)))
  }
})

t.test('a flood is over at once when the other lines have much waiting themselves', async t => {
  const flood = new Flood(meterOf, 100)
  flood.observe(waiting({ loud: 200 }))
  flood.observeOthers(waiting({ a: 60, b: 39 }))
  t.ok(flood.isBystander(entry('a', 1)))
  flood.observeOthers(waiting({ a: 60, b: 40 }))
  t.notOk(flood.isBystander(entry('a', 1)))
})

t.test('a flood by another line takes its place', async t => {
  const flood = new Flood(meterOf, 100)
  flood.observe(waiting({ loud: 200 }))
  flood.observe(waiting({ louder: 2_000, loud: 200 }))
  t.ok(flood.isBystander(entry('loud', 1)))
  t.notOk(flood.isBystander(entry('louder', 1)))
})
