import fc from 'fast-check'
import t from 'tap'
import type { Verdict } from '../message/message.js'
import { createDecoder } from '../validate/decode.js'
import { createEventSource, DEFAULT_CLIENTS, type EventSourceOptions, fakeBodies, type GeneratedEvent } from './events.js'
import { createInvalidBodies } from './invalid.js'
import { createRandom } from './random.js'

const decode = createDecoder({ payloadSchemas: { find: () => null } })

function verdictOn(body: string): Verdict {
  return decode({ id: 'queue-id', receiptHandle: 'handle', body, bytes: Buffer.byteLength(body), receiveCount: 1, sentAtMs: 0 })
}

function generate(over: Partial<EventSourceOptions> & { seed?: string } = {}): GeneratedEvent[] {
  const random = createRandom(over.seed ?? 'seed')
  const next = createEventSource({ count: 100, duplicates: 0, invalid: 0, clients: DEFAULT_CLIENTS, bodyBytes: 350, random, ...over })
  const events: GeneratedEvent[] = []
  for (let event = next(); event !== null; event = next()) events.push(event)
  return events
}

t.test('each fake producer sends its fixed text with a number below 100 000', async t => {
  const random = createRandom('fake')
  for (let tick = 0; tick < 50; tick++) {
    const events = fakeBodies(random)
      .slice(0, 3)
      .map(body => JSON.parse(body) as Record<string, string>)
    t.same(
      events.map(event => [event['event_type'], event['client_id']]),
      [
        ['monitor-app', 'client-1'],
        ['transaction-app', 'client-2'],
        ['user-app', 'client-3']
      ]
    )
    for (const event of events) t.match(event['message'], /^[a-z ,]+: [0-9]{1,5}$/)
  }
})

t.test('a bad body that is not JSON comes along for 11 draws of 100, and is the only thing the processor refuses', async t => {
  const fixed = (draw: number) => ({ below: (limit: number) => (limit === 100 ? draw : 7), uuid: () => '' })
  t.equal(fakeBodies(fixed(10)).length, 4)
  t.equal(fakeBodies(fixed(11)).length, 3)
  const verdicts = fakeBodies(fixed(0)).map(verdictOn)
  t.same(
    verdicts.map(verdict => (verdict.kind === 'valid' ? 'valid' : verdict.rejection.reason)),
    ['valid', 'valid', 'valid', 'not-json']
  )
})

t.test('a valid event is stored under the id and with the payload that the ledger will name', async () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 256, max: 2_000 }), (seed, bodyBytes) =>
      generate({ seed, bodyBytes, count: 20, duplicates: 0.2 }).every(event => {
        const verdict = verdictOn(event.body)
        return (
          verdict.kind === 'valid' &&
          verdict.event.payload === event.payload &&
          verdict.event.messageId === (event.eventId ?? 'queue-id') &&
          verdict.event.clientId === event.clientId &&
          verdict.event.eventType === event.eventType
        )
      })
    ),
    { numRuns: 30 }
  )
})

t.test('bodies have the size that was asked for, in bytes', async t => {
  for (const bodyBytes of [256, 350, 100_000]) {
    for (const event of generate({ bodyBytes, count: 20 })) {
      t.equal(event.bytes, bodyBytes)
      t.equal(Buffer.byteLength(event.body), bodyBytes)
    }
  }
})

t.test('clients take turns, and some events have an id while others have none', async t => {
  const events = generate({ clients: ['a', 'b'] })
  t.same(
    events.slice(0, 4).map(event => event.clientId),
    ['a', 'b', 'a', 'b']
  )
  const ids = events.map(event => event.eventId).filter(id => id !== null)
  t.ok(ids.length > 10 && ids.length < 90)
  t.equal(new Set(ids).size, ids.length)
})

t.test('a duplicate is an earlier body with its event id again', async t => {
  const events = generate({ count: 500, duplicates: 0.3 })
  const earlier = new Set<string>()
  let duplicates = 0
  for (const event of events) {
    if (event.kind === 'duplicate') {
      duplicates += 1
      if (!earlier.has(event.body) || event.eventId === null) t.fail('a duplicate without an earlier body or an id', { found: event })
    } else {
      if (earlier.has(event.body)) t.fail('a body that is new and was there before', { found: event })
      earlier.add(event.body)
    }
  }
  t.equal(duplicates, 150)
})

t.test('the same seed makes the same run again, another seed another', async t => {
  const run = (seed: string): GeneratedEvent[] => generate({ seed, duplicates: 0.1, invalid: 0.1 })
  t.same(run('monday'), run('monday'))
  t.notSame(run('monday'), run('tuesday'))
})

t.test('an invalid body is refused for the reason it was made for; names nobody knows are left to the database', async t => {
  const next = createInvalidBodies(createRandom('bad'))
  const reasons = new Set<string>()
  for (let sequence = 1; sequence <= 120; sequence++) {
    const { reason, body } = next({ clientId: 'client-1', eventType: 'user-app', sequence })
    reasons.add(reason)
    const verdict = verdictOn(body)
    const found = verdict.kind === 'rejected' ? verdict.rejection.reason : 'valid'
    t.equal(found, reason.startsWith('unknown-') ? 'valid' : reason, body.slice(0, 80))
  }
  t.same([...reasons].sort(), [
    'invalid-field',
    'missing-field',
    'not-an-object',
    'not-json',
    'too-deep',
    'unknown-client',
    'unknown-event-type',
    'unstorable'
  ])
})
