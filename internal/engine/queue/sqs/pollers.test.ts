import t, { type Test } from 'tap'
import { createPollers, type Pollers } from './pollers.js'

/** The pollers that got their turn so far. */
function turns(pollers: Pollers, ...who: number[]): Set<number> {
  const awake = new Set<number>()
  for (const poller of who) void pollers.turn(poller).then(() => awake.add(poller))
  return awake
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function allAwake(t: Test, count: number): Promise<Pollers> {
  const pollers = createPollers(count)
  pollers.received(0, 10)
  const awake = turns(pollers, ...Array.from({ length: count }, (_, index) => index))
  await settle()
  t.equal(awake.size, count, 'a full receive has woken all')
  return pollers
}

await t.test('at the start one poller scouts and the others wait', async t => {
  const pollers = createPollers(3)
  const awake = turns(pollers, 0, 1, 2)
  await settle()
  t.strictSame([...awake], [0])
  pollers.received(0, 0)
  t.ok(turns(pollers, 0), 'the scout goes on when it finds nothing')
})

await t.test('a full receive wakes all pollers, a partial one wakes one', async t => {
  const pollers = createPollers(4)
  const awake = turns(pollers, 0, 1, 2, 3)
  pollers.received(0, 9)
  await settle()
  t.strictSame([...awake], [0, 1])
  pollers.received(0, 10)
  await settle()
  t.strictSame([...awake], [0, 1, 2, 3])
})

await t.test('a poller that finds the queue empty parks, except the last one awake', async t => {
  const pollers = await allAwake(t, 3)
  pollers.received(0, 0)
  pollers.received(2, 0)
  pollers.received(1, 0)
  const awake = turns(pollers, 0, 1, 2)
  await settle()
  t.strictSame([...awake], [1], 'the last one to find it empty scouts')
  pollers.received(1, 1)
  await settle()
  t.strictSame([...awake], [1, 0], 'and wakes those that parked first')
})

await t.test('a poller woken before it asks for its turn need not wait', async t => {
  const pollers = await allAwake(t, 2)
  pollers.received(1, 0)
  pollers.received(0, 10)
  const awake = turns(pollers, 1)
  await settle()
  t.strictSame([...awake], [1])
})

await t.test('a stop lets all pollers go, also those that ask later', async t => {
  const pollers = createPollers(3)
  const awake = turns(pollers, 1)
  pollers.stop()
  pollers.received(0, 0)
  for (const poller of turns(pollers, 0, 2)) awake.add(poller)
  const later = turns(pollers, 0, 2)
  await settle()
  t.strictSame([...awake, ...later], [1, 0, 2])
})

await t.test('a lone poller never parks', async t => {
  const pollers = createPollers(1)
  pollers.received(0, 0)
  const awake = turns(pollers, 0)
  await settle()
  t.strictSame([...awake], [0])
  t.throws(() => createPollers(0), RangeError)
})
