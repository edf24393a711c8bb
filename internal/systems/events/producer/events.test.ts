import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../../engine/cli/random.js'
import { createDecoder } from '../event/decode.js'
import type { EventVerdict } from '../event/event.js'
import { admitSchema } from '../schemas/admission.js'
import { createPayloadSchemas } from '../schemas/payload-schemas.js'
import {
  createEventSource,
  DEFAULT_CLIENTS,
  type EventSourceOptions,
  fakeBodies,
  type GeneratedEvent
} from './events.js'
import { createInvalidBodies } from './invalid.js'

const decode = createDecoder({ payloadSchemas: { find: () => null } })

function verdictOn(body: string): EventVerdict {
  return decode({
    id: 'queue-id',
    token: 'handle',
    body,
    bytes: Buffer.byteLength(body),
    receiveCount: 1,
    sentAtMs: 0
  })
}

function generate(over: Partial<EventSourceOptions> & { seed?: string } = {}): GeneratedEvent[] {
  const random = createRandom(over.seed ?? 'seed')
  const next = createEventSource({
    count: 100,
    duplicates: 0,
    invalid: 0,
    clients: DEFAULT_CLIENTS,
    bodyBytes: 350,
    random,
    ...over
  })
  const events: GeneratedEvent[] = []
  for (let event = next(); event !== null; event = next()) events.push(event)
  return events
}

const shipped = (eventType: string): string =>
  readFileSync(
    new URL(`../../../../deployments/schemas/${eventType}.json`, import.meta.url),
    'utf8'
  )
const payloadSchemas = createPayloadSchemas()
const EVENT_TYPES = ['monitor-app', 'transaction-app', 'user-app']
const active = EVENT_TYPES.map((eventType, id) => {
  const schema: unknown = JSON.parse(shipped(eventType))
  return {
    id,
    eventType,
    clientId: null,
    version: 1,
    state: 'active',
    hash: eventType,
    schema
  } as const
})
payloadSchemas.replace(active)
const strict = createDecoder({ payloadSchemas })
const strictly = (body: string): string => {
  const verdict = strict({
    id: 'queue-id',
    token: 'handle',
    body,
    bytes: Buffer.byteLength(body),
    receiveCount: 1,
    sentAtMs: 0
  })
  return verdict.kind === 'valid' ? 'valid' : verdict.rejection.reason
}

t.test('the shipped schemas are admitted, and events marked valid satisfy them', async t => {
  for (const eventType of EVENT_TYPES)
    t.match(admitSchema(shipped(eventType)), { kind: 'admitted' }, eventType)
  for (const { body } of generate({ count: 300 }))
    if (strictly(body) !== 'valid') t.fail('refused', { found: body })
  for (const message of [
    'a text like those of the original',
    { user: 1, more: true },
    { user: 7, action: 'signed in' }
  ]) {
    t.equal(
      strictly(JSON.stringify({ event_type: 'user-app', client_id: 'client-1', message })),
      'valid'
    )
  }
  for (const message of [[1], {}, { user: 'x' }, { user: -1 }, { user: 1, action: 'left' }]) {
    t.equal(
      strictly(JSON.stringify({ event_type: 'user-app', client_id: 'client-1', message })),
      'schema-violation'
    )
  }
})

t.test('a few objects of the fake producers break the shipped schemas', async t => {
  const random = createRandom('shipped')
  const bodies = Array.from({ length: 500 }, () => fakeBodies(random).slice(0, 3)).flat()
  const reasons = bodies.map(strictly)
  const broken = reasons.filter(reason => reason === 'schema-violation').length
  t.ok(broken > 15 && broken < 90, `${broken} of ${bodies.length}`)
  t.equal(reasons.filter(reason => reason === 'valid').length, bodies.length - broken)
})

t.test('each fake producer sends its text or an object, with a number below 100,000', async t => {
  const random = createRandom('fake')
  const kinds = new Set<string>()
  for (let tick = 0; tick < 50; tick++) {
    const events = fakeBodies(random)
      .slice(0, 3)
      .map(body => JSON.parse(body) as Record<string, unknown>)
    t.same(
      events.map(event => [event['event_type'], event['client_id']]),
      [
        ['monitor-app', 'client-1'],
        ['transaction-app', 'client-2'],
        ['user-app', 'client-3']
      ]
    )
    for (const { message } of events) {
      kinds.add(typeof message)
      t.match(
        typeof message === 'string' ? message : JSON.stringify(message),
        /^([a-z ,]+: [0-9]{1,5}|\{"[a-z]+":("about )?[0-9]{1,5}"?\})$/
      )
    }
  }
  t.same([...kinds].sort(), ['object', 'string'])
})

t.test('11 draws of 100 add a body that is not JSON, and only that one is refused', async t => {
  const fixed = (draw: number) => ({
    below: (limit: number) => (limit === 100 ? draw : 7),
    uuid: () => ''
  })
  t.equal(fakeBodies(fixed(10)).length, 4)
  t.equal(fakeBodies(fixed(11)).length, 3)
  const verdicts = fakeBodies(fixed(0)).map(verdictOn)
  t.same(
    verdicts.map(verdict => (verdict.kind === 'valid' ? 'valid' : verdict.rejection.reason)),
    ['valid', 'valid', 'valid', 'not-json']
  )
})

t.test(
  'a valid event is stored with the id and the payload that its ledger entry names',
  async () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 256, max: 2_000 }), (seed, bodyBytes) =>
        generate({ seed, bodyBytes, count: 20, duplicates: 0.2 }).every(event => {
          const verdict = verdictOn(event.body)
          return (
            verdict.kind === 'valid' &&
            verdict.item.payload === event.payload &&
            verdict.item.messageId === (event.eventId ?? 'queue-id') &&
            verdict.item.clientId === event.clientId &&
            verdict.item.eventType === event.eventType
          )
        })
      ),
      { numRuns: 30 }
    )
  }
)

t.test('bodies have the requested size in bytes', async t => {
  for (const bodyBytes of [256, 350, 100_000]) {
    for (const event of generate({ bodyBytes, count: 20 })) {
      t.equal(event.bytes, bodyBytes)
      t.equal(Buffer.byteLength(event.body), bodyBytes)
    }
  }
})

t.test('clients take turns, and only some events have an id', async t => {
  const events = generate({ clients: ['a', 'b'] })
  t.same(
    events.slice(0, 4).map(event => event.clientId),
    ['a', 'b', 'a', 'b']
  )
  const ids = events.map(event => event.eventId).filter(id => id !== null)
  t.ok(ids.length > 10 && ids.length < 90)
  t.equal(new Set(ids).size, ids.length)
})

t.test('a duplicate repeats an earlier body and its event id', async t => {
  const events = generate({ count: 500, duplicates: 0.3 })
  const earlier = new Set<string>()
  let duplicates = 0
  for (const event of events) {
    if (event.kind === 'duplicate') {
      duplicates += 1
      if (!earlier.has(event.body) || event.eventId === null)
        t.fail('a duplicate without an earlier body or an id', { found: event })
    } else {
      if (earlier.has(event.body)) t.fail('a fresh event repeats an earlier body', { found: event })
      earlier.add(event.body)
    }
  }
  t.equal(duplicates, 150)
})

t.test('the same seed makes the same run, and another seed another', async t => {
  const run = (seed: string): GeneratedEvent[] => generate({ seed, duplicates: 0.1, invalid: 0.1 })
  t.same(run('monday'), run('monday'))
  t.notSame(run('monday'), run('tuesday'))
})

t.test(
  'an invalid body is refused for its own reason; the database judges unknown names',
  async t => {
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
  }
)
