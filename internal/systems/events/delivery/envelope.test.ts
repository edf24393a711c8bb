import fc from 'fast-check'
import t from 'tap'
import { envelopeOf, webhookIdOf } from './envelope.js'
import type { DueDelivery } from './store/deliveries.js'

const due = (over: Partial<DueDelivery> = {}): DueDelivery => ({
  id: '1',
  attempts: 0,
  scheduled: 0,
  messageId: 'e.1',
  eventType: 'user-app',
  payload: '{}',
  receivedAtMs: 1_767_323_045_678,
  ...over
})

t.test('the envelope holds the payload’s text character for character', t => {
  const payloads = [
    '{ "price": 1.10 }',
    '[1e400,-0,0.10000000000000000000001]',
    '{"a":1,"a":2}',
    String.raw`{"nul":"\u0000","half":"\ud800"}`,
    '\n{\t"a" :\r\n[ ] }'
  ]
  for (const payload of payloads) {
    t.equal(
      envelopeOf('client-1', due({ payload })),
      `{"type":"user-app","timestamp":"2026-01-02T03:04:05.678Z","id":"e.1","client":"client-1","data":${payload}}`
    )
  }
  t.end()
})

t.test('whatever the names, the envelope is JSON and holds them', t => {
  const name = fc.string({ unit: 'binary', minLength: 1 })
  fc.assert(
    fc.property(name, name, name, (client, eventType, messageId) => {
      const parsed = JSON.parse(envelopeOf(client, due({ eventType, messageId }))) as Record<
        string,
        unknown
      >
      return (
        parsed['client'] === client && parsed['type'] === eventType && parsed['id'] === messageId
      )
    })
  )
  t.end()
})

t.test('a webhook-id depends on endpoint, client and event alone, and fits a header', t => {
  t.equal(webhookIdOf(1, 'client-1', 'e.1'), webhookIdOf(1, 'client-1', 'e.1'))
  const places: readonly [number, string, string][] = [
    [1, 'client-1', 'e.1'],
    [2, 'client-1', 'e.1'],
    [1, 'client-2', 'e.1'],
    [1, 'client-1', 'e.2'],
    // Moving characters from one name to the next must change the id.
    [1, 'client-1e', '.1'],
    [1, 'a","b', 'c'],
    [1, 'a', 'b","c'],
    [11, 'x', 'y']
  ]
  t.equal(new Set(places.map(place => webhookIdOf(...place))).size, places.length)
  fc.assert(
    fc.property(
      fc.integer({ min: 1 }),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      (endpointId, client, messageId) =>
        /^msg_[\w-]{32}$/.test(webhookIdOf(endpointId, client, messageId))
    )
  )
  t.end()
})

t.test('a webhook-id never changes between versions: recipients store it', t => {
  t.equal(webhookIdOf(7, 'client-1', 'e.1'), 'msg_5kfXwTjMiRewUarNSZ3Qg5pT4mGErgOZ')
  t.end()
})
