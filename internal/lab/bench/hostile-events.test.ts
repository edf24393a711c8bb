import t from 'tap'
import { makeHostileEvents } from './hostile-events.js'

interface Body {
  readonly client_id: string
  readonly event_type: string
  readonly event_id?: string
}

t.test('each batch of ten has one hostile event, and the expected rows add up', async t => {
  const { batches, stored, rejected } = makeHostileEvents(300, 'a seed')
  t.strictSame([stored, rejected], [270, 30])
  t.strictSame([...new Set(batches.map(batch => batch.length))], [10])
  for (const batch of batches)
    t.equal(batch.filter(({ body }) => body.includes('hostile event')).length, 1)
})

t.test('a last, smaller batch has none', async t => {
  t.match(makeHostileEvents(25, 'a seed'), { stored: 23, rejected: 2 })
})

t.test('a third repeat an id, a third name an unknown client, a third an unknown type', async t => {
  const bodies = makeHostileEvents(900, 'a seed').batches.flat()
  const hostile = bodies
    .filter(({ body }) => body.includes('hostile event'))
    .map(({ body }) => JSON.parse(body) as Body)
  const harmless = bodies
    .filter(({ body }) => !body.includes('hostile event'))
    .map(({ body }) => JSON.parse(body) as Body)
  const known = new Set(
    harmless.flatMap(({ client_id, event_id }) =>
      event_id === undefined ? [] : [`${client_id} ${event_id}`]
    )
  )
  t.equal(
    hostile.filter(({ client_id, event_id }) => known.has(`${client_id} ${event_id ?? ''}`)).length,
    30
  )
  t.equal(hostile.filter(({ client_id }) => client_id.startsWith('nobody')).length, 30)
  t.equal(hostile.filter(({ event_type }) => event_type.startsWith('nobody')).length, 30)
})
