import t from 'tap'
import type { Entry } from '../message/message.js'
import { Backlog } from './backlog.js'
import { Flood } from './flood.js'

const entry = (clientId: string, n: number): Entry => ({
  message: {
    id: `${clientId}-${n}`,
    token: 'handle',
    body: '',
    bytes: 100,
    receiveCount: 1,
    sentAtMs: 0
  },
  verdict: {
    kind: 'valid',
    event: { clientId, eventType: 'type', messageId: `${n}`, schemaId: null, payload: '1' }
  }
})

/** What waits: so many of each client. */
function waiting(counts: Readonly<Record<string, number>>): Backlog {
  const backlog = new Backlog(
    { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 0, busyMessages: 100 },
    () => 1
  )
  for (const [client, count] of Object.entries(counts))
    for (let n = 0; n < count; n++) backlog.add(entry(client, n))
  return backlog
}
const little = waiting({ loud: 1 })

t.test('one client with three quarters of what waits floods the others', async t => {
  const rows: { why: string; counts: Record<string, number>; floods: boolean }[] = [
    { why: 'nearly all', counts: { loud: 190, a: 5, b: 5 }, floods: true },
    { why: 'all', counts: { loud: 100 }, floods: true },
    { why: 'three quarters', counts: { loud: 150, a: 50 }, floods: true },
    { why: 'a little less', counts: { loud: 149, a: 51 }, floods: false },
    { why: 'two alike', counts: { loud: 100, 'as loud': 100 }, floods: false },
    { why: 'nearly all of little', counts: { loud: 98, a: 1 }, floods: false },
    { why: 'bodies that name no client', counts: { '': 200 }, floods: false }
  ]
  for (const { why, counts, floods } of rows) {
    const flood = new Flood(100)
    flood.look(waiting(counts))
    t.equal(flood.isBeside(entry('a', 1)), floods, why)
    t.notOk(flood.isBeside(entry('loud', 1)), `${why}: nobody is beside himself`)
    t.notOk(flood.isBeside(entry('', 1)), `${why}: whoever names no client has no lane`)
  }
})

t.test('it is over some batches after the last one that showed it', async t => {
  const flood = new Flood(100)
  for (let time = 1; time <= 2; time++) {
    flood.look(waiting({ loud: 200 }))
    for (let batch = 1; batch <= 25; batch++) {
      flood.look(little)
      flood.lookBeside(little)
    }
    t.ok(flood.isBeside(entry('a', 1)))
    flood.lookBeside(little)
    t.notOk(flood.isBeside(entry('a', 1)))
  }
})

t.test('it is over at once when the others have much to say themselves', async t => {
  const flood = new Flood(100)
  flood.look(waiting({ loud: 200 }))
  flood.lookBeside(waiting({ a: 60, b: 39 }))
  t.ok(flood.isBeside(entry('a', 1)))
  flood.lookBeside(waiting({ a: 60, b: 40 }))
  t.notOk(flood.isBeside(entry('a', 1)))
})

t.test('another client’s flood takes its place', async t => {
  const flood = new Flood(100)
  flood.look(waiting({ loud: 200 }))
  flood.look(waiting({ louder: 2_000, loud: 200 }))
  t.ok(flood.isBeside(entry('loud', 1)))
  t.notOk(flood.isBeside(entry('louder', 1)))
})
