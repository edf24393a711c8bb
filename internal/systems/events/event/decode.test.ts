import fc from 'fast-check'
import t from 'tap'
import type { ReceivedMessage } from '../../../engine/message/message.js'
import { isStorable } from '../../../engine/message/storable.js'
import { createPayloadSchemas } from '../schemas/payload-schemas.js'
import { createDecoder } from './decode.js'
import { type EventRejection, REJECTION_REASONS, type ValidEvent } from './event.js'

const received = (body: string): ReceivedMessage => ({
  id: 'queue-id',
  token: 'handle',
  body,
  bytes: Buffer.byteLength(body),
  receiveCount: 1,
  sentAtMs: 0
})
const decode = createDecoder({ payloadSchemas: createPayloadSchemas() })

const rejection = (body: string, using = decode): EventRejection => {
  const verdict = using(received(body))
  if (verdict.kind === 'valid') throw new Error(`valid: ${body.slice(0, 200)}`)
  return verdict.rejection
}
const event = (body: string, using = decode): ValidEvent => {
  const verdict = using(received(body))
  if (verdict.kind === 'rejected') throw new Error(JSON.stringify(verdict.rejection.violations))
  return verdict.item
}
/** A body around the text of a payload. */
const around = (payload: string, more = ''): string =>
  `{"event_type":"monitor-app","client_id":"client-1",${more}"message":${payload}}`

t.test('a valid body becomes an event with its payload text unchanged', async t => {
  const body =
    '{ "client_id":"client-1", "message" : {"n": 1.10,  "big":9007199254740993}, "event_type":"monitor-app" }'
  t.strictSame(event(body), {
    clientId: 'client-1',
    eventType: 'monitor-app',
    messageId: 'queue-id',
    payload: '{"n": 1.10,  "big":9007199254740993}',
    schemaId: null
  })
})

t.test("the row's id is the producer's event_id, else the queue's", async t => {
  t.equal(event(around('"x"', '"event_id":"e-1",')).messageId, 'e-1')
  t.equal(event(around('"x"', '"event_id":null,')).messageId, 'queue-id')
  t.equal(event(around('"x"')).messageId, 'queue-id')
})

t.test('a redriven event without event_id keeps its first queue id, refused or not', async t => {
  const redriven = (body: string) => decode({ ...received(body), origin: 'first-id' })
  t.match(redriven(around('"x"')), { item: { messageId: 'first-id' } })
  t.match(redriven(around('"x"', '"event_id":"e-1",')), { item: { messageId: 'e-1' } })
  t.match(redriven(around('5')), {
    rejection: { reason: 'invalid-field', messageId: 'first-id' }
  })
})

t.test('every JSON text is a payload, even one that a jsonb column would refuse', async t => {
  const payloads = [
    '"\\u0000"',
    '"\\ud800"',
    '{"\\udc00":"\\u0000"}',
    '[1e400,-0,1E-999999]',
    '{"a":1,"a":2}',
    '"\u2028\u0080"',
    '" "',
    '[ ]'
  ]
  for (const payload of payloads) t.equal(event(around(payload)).payload, payload)
})

t.test('a body that is not JSON is refused with the position, without its text', async t => {
  const rows: { body: string; want: RegExp }[] = [
    { body: '', want: /it is empty/ },
    { body: 'secret text', want: /it breaks at character 1 of 11/ },
    { body: `${around('"secret"')} secret`, want: /breaks at character 72 of 77/ },
    { body: around('"secret'), want: /it ends too early, after 69 characters/ },
    { body: '\uFEFF{}', want: /it starts with a byte order mark/ },
    { body: '{"secret":01}', want: /character 12 of 13/ },
    { body: "{'secret':1}", want: /character 2 of 12/ },
    { body: '\0', want: /character 1 of 1/ }
  ]
  for (const { body, want } of rows) {
    const { reason, violations, ...kept } = rejection(body)
    t.equal(reason, 'not-json')
    t.match(violations, [{ pointer: '', keyword: 'json', message: want }])
    t.notMatch(JSON.stringify(violations), /secret/)
    t.strictSame(kept, { clientId: null, eventType: null, messageId: null, payload: null })
  }
})

t.test('a body of any other JSON type is refused as not an object', async t => {
  for (const [body, found] of [
    ['null', 'null'],
    ['5', 'a number'],
    ['"x"', 'a string of 1 characters (1 bytes)'],
    ['[{}]', 'an array of 1 items'],
    ['['.repeat(100_000) + ']'.repeat(100_000), 'an array of 1 items']
  ] as const) {
    t.match(rejection(body), {
      reason: 'not-an-object',
      violations: [{ pointer: '', keyword: 'type' }],
      clientId: null
    })
    t.equal(
      rejection(body).violations[0]?.message,
      `the body is not an object (found ${found}): send one event as a JSON object`
    )
  }
})

t.test('a body passes at the size limit and not one byte above', async t => {
  const full = around(`"${'x'.repeat(1_048_576 - around('""').length)}"`)
  t.equal(event(full).payload.length, 1_048_576 - around('""').length + 2)
  t.match(rejection(`${full} `), {
    reason: 'too-large',
    violations: [{ pointer: '', keyword: 'maxBytes' }],
    messageId: null
  })
  t.match(
    rejection(around(`"${'é'.repeat(524_288)}"`)).violations[0]?.message,
    /^the body has 10486\d\d bytes: send at most 1048576$/,
    'in bytes, not characters'
  )
})

t.test('a body passes at the depth limit and not one level above', async t => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  t.equal(event(around(nested(63))).payload, nested(63))
  const { reason, violations, clientId, payload } = rejection(around(nested(64)))
  t.equal(reason, 'too-deep')
  t.strictSame(violations, [
    {
      pointer: '',
      keyword: 'depth',
      message: 'the body is nested 65 levels deep: nest at most 64, the body itself being 1'
    }
  ])
  t.equal(clientId, 'client-1')
  t.equal(payload, nested(64))
  t.equal(rejection(around(nested(100_000))).reason, 'too-deep')
  t.equal(rejection(around(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).reason, 'too-deep')
  t.equal(
    rejection(around('"x"', `"other":${nested(64)},`)).reason,
    'too-deep',
    'in an ignored key too'
  )
})

t.test('a breach of the contract keeps the fields that the body has', async t => {
  t.match(rejection('{"event_type":"","client_id":"client-1","event_id":"e-1","message":[1, 2]}'), {
    reason: 'missing-field',
    violations: [{ pointer: '/event_type', keyword: 'required' }],
    clientId: 'client-1',
    eventType: null,
    messageId: 'e-1',
    payload: '[1, 2]'
  })
  t.match(rejection('{"event_type":5,"client_id":["x"],"event_id":9,"message":false}'), {
    reason: 'invalid-field',
    clientId: null,
    eventType: null,
    messageId: null,
    payload: null
  })
  t.match(rejection(around('"x"').replace('client-1', 'a\\u0000')), {
    reason: 'unstorable',
    clientId: 'a\0',
    messageId: 'queue-id'
  })
})

t.test("a rejection's id is the one that the row would have had", async t => {
  const idOf = (eventId: string): string | null => rejection(`{"event_id":${eventId}}`).messageId
  t.equal(rejection('{}').messageId, 'queue-id')
  t.equal(idOf('null'), 'queue-id')
  t.equal(idOf('"e-1"'), 'e-1')
  t.equal(idOf('""'), null)
  t.equal(idOf('7'), null)
})

t.test('an unescaped lone surrogate is unstorable in a payload, harmless elsewhere', async t => {
  t.match(rejection(around('"a\ud800"')), {
    reason: 'unstorable',
    violations: [{ pointer: '/message', keyword: 'storable' }],
    clientId: 'client-1'
  })
  t.equal(event(around('"😀"', '"other":"\ud800",')).payload, '"😀"')
})

t.test('hostile keys change no prototype and count only at the top level', async t => {
  const body =
    '{"__proto__":{"x":1,"message":"no"},"constructor":{"prototype":{"x":1}},' +
    `${around('"first"').slice(1, -1)},"mess\\u0061ge":"last"}`
  t.equal(event(body).payload, '"last"')
  t.equal(({} as Record<string, unknown>)['x'], undefined)
  t.equal(
    rejection('{"__proto__":{"event_type":"a","client_id":"b","message":"c"}}').reason,
    'missing-field'
  )
  t.equal(
    rejection(around('"first"').replace(/}$/, ',"message":null}')).reason,
    'missing-field',
    'the last of equal keys counts'
  )
})

t.test('the payload must satisfy the active schema of its client and event type', async t => {
  const payloadSchemas = createPayloadSchemas()
  const decode = createDecoder({ payloadSchemas })
  const row = {
    id: 7,
    eventType: 'monitor-app',
    clientId: 'client-1',
    version: 1,
    state: 'active',
    hash: 'h'
  } as const
  payloadSchemas.replace([
    { ...row, schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } }
  ])
  t.match(
    event(around('{"n":1}'), decode),
    { payload: '{"n":1}', schemaId: 7 },
    'with the version that accepted it'
  )
  t.match(rejection(around('{"n":"1"}'), decode), {
    reason: 'schema-violation',
    violations: [{ pointer: '/message/n', keyword: 'type' }],
    clientId: 'client-1',
    eventType: 'monitor-app',
    messageId: 'queue-id',
    payload: '{"n":"1"}'
  })
  const other = event(around('"text"').replace('client-1', 'client-2'), decode)
  t.match(other, { payload: '"text"', schemaId: null }, "another client's schema does not count")
})

t.test('a shadow version checks its messages, reports objections, changes no verdict', async t => {
  const payloadSchemas = createPayloadSchemas()
  const told: string[] = []
  const decode = createDecoder({
    payloadSchemas,
    onShadow: ({ label }, { id }, objection) =>
      told.push(`${label} ${id} ${objection ?? 'nothing'}`)
  })
  const row = { eventType: 'monitor-app', clientId: null, hash: 'any' }
  const schema = (type: string): { hash: string; schema: object } => ({
    hash: type,
    schema: { type }
  })
  payloadSchemas.replace([
    { ...row, id: 1, version: 1, state: 'active', ...schema('object') },
    { ...row, id: 2, version: 2, state: 'shadow', ...schema('array') }
  ])
  t.match(event(around('{}'), decode), { payload: '{}', schemaId: 1 })
  t.equal(rejection(around('[]'), decode).reason, 'schema-violation')
  t.equal(rejection(around('""'), decode).reason, 'missing-field')
  t.strictSame(
    told,
    ['monitor-app/*/2 queue-id type', 'monitor-app/*/2 queue-id nothing'],
    'even what the active version refuses'
  )
})

t.test('a shadow version whose check breaks objects and harms no event', async t => {
  const check = (): never => {
    throw new RangeError('Maximum call stack size exceeded')
  }
  const told: (string | null)[] = []
  const decode = createDecoder({
    payloadSchemas: { find: () => ({ active: null, shadows: [{ id: 1, label: 'x', check }] }) },
    onShadow: (_shadow, _message, objection) => told.push(objection)
  })
  t.match(event(around('{}'), decode), { payload: '{}', schemaId: null })
  t.strictSame(told, ['cannot be evaluated'])
})

t.test('a validator that breaks throws an error with its schema, and gives no verdict', async t => {
  const check = (): never => {
    throw new RangeError('Maximum call stack size exceeded')
  }
  const decode = createDecoder({
    payloadSchemas: { find: () => ({ active: { id: 1, check }, shadows: [] }) }
  })
  t.throws(() => decode(received(around('{}'))), {
    name: 'PayloadCheckError',
    clientId: 'client-1',
    eventType: 'monitor-app',
    cause: { name: 'RangeError' }
  })
  t.equal(rejection('{}', decode).reason, 'missing-field', 'other bodies get their verdict')
})

const seeds = [
  around('{"a":[1,{"b":"\\"}"}]}', '"event_id":"e-1",'),
  around('"x"'),
  '{"event_type":null,"client_id":"\\u0000","message":""}',
  around('[]', '"event_id":5,"__proto__":{},')
]
const splice = fc.record({
  seed: fc.constantFrom(...seeds),
  at: fc.nat({ max: 100 }),
  drop: fc.nat({ max: 10 }),
  insert: fc.oneof(
    fc.constantFrom('"', '\\', '{', '[', '}', ',', ':', '\0', '\ud800', '\\ud800', 'null', '1e999'),
    fc.string({ unit: 'binary' })
  ),
  repeat: fc.nat({ max: 70 })
})
const mutated = splice.map(
  ({ seed, at, drop, insert, repeat }) =>
    seed.slice(0, at) + insert.repeat(repeat) + seed.slice(at + drop)
)

t.test('every body has one verdict whose texts can be stored', async t => {
  const payloadSchemas = createPayloadSchemas()
  const schema = { type: ['string', 'object', 'array'], additionalProperties: { type: 'number' } }
  payloadSchemas.replace([
    {
      id: 1,
      eventType: 'monitor-app',
      clientId: null,
      version: 1,
      state: 'active',
      hash: 'h',
      schema
    }
  ])
  const decode = createDecoder({ payloadSchemas })
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' }), fc.json()), body => {
      const verdict = decode(received(body))
      if (verdict.kind === 'valid') {
        seen.add('valid')
        const { clientId, eventType, messageId, payload } = verdict.item
        return (
          [clientId, eventType, messageId].every(isStorable) &&
          body.includes(payload) &&
          JSON.parse(payload) !== null
        )
      }
      const { reason, violations } = verdict.rejection
      seen.add(reason)
      const isFit = (text: string): boolean => isStorable(text) && text.length <= 500
      return (
        REJECTION_REASONS.includes(reason) &&
        violations.length > 0 &&
        violations.every(({ pointer, message }) => isFit(pointer) && isFit(message))
      )
    }),
    { numRuns: 3_000 }
  )
  for (const kind of ['valid', 'not-json', 'not-an-object', 'missing-field', 'invalid-field'])
    t.ok(seen.has(kind), kind)
})
