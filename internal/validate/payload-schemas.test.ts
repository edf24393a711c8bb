import t from 'tap'
import { type ActiveSchema, createPayloadSchemas, type PayloadSchemas } from './payload-schemas.js'

const active = (over: Partial<ActiveSchema> & { schema: unknown }): ActiveSchema => ({
  eventType: 'monitor-app',
  clientId: null,
  version: 1,
  hash: JSON.stringify(over.schema),
  ...over
})
const TEXT = { type: 'string' }
const NUMBER = { type: 'number' }
const BROKEN = { type: 'nothing' }

/** Which of text and number the schema in force for (client, event type) takes. */
const takes = (schemas: PayloadSchemas, clientId = 'client-1', eventType = 'monitor-app'): string => {
  const schema = schemas.find(clientId, eventType)
  if (!schema) return 'anything'
  return schema.check('x').length === 0 ? 'text' : schema.check(1).length === 0 ? 'number' : 'nothing'
}

t.test("a client's own schema wins over the event type's general one", async t => {
  const schemas = createPayloadSchemas()
  t.equal(takes(schemas), 'anything')
  t.strictSame(schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: NUMBER })]), [])
  t.equal(takes(schemas, 'client-1'), 'text')
  t.equal(takes(schemas, 'client-2'), 'number')
  t.equal(takes(schemas, 'client-2', 'user-app'), 'anything')
  t.equal(takes(schemas, '__proto__', 'constructor'), 'anything')
})

t.test('replace makes its list the whole set', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([active({ schema: TEXT }), active({ eventType: 'user-app', schema: TEXT })])
  schemas.replace([active({ version: 2, schema: NUMBER })])
  t.equal(takes(schemas), 'number')
  t.equal(takes(schemas, 'client-1', 'user-app'), 'anything')
})

t.test('equal hashes are compiled once, over replacements too', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: TEXT })])
  const first = schemas.find('client-1', 'monitor-app')
  t.equal(schemas.find('client-2', 'monitor-app'), first)
  schemas.replace([active({ clientId: 'client-3', schema: TEXT })])
  t.equal(schemas.find('client-3', 'monitor-app'), first)
})

t.test('a schema that does not compile is reported and its place keeps the last good version, the others go on', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: NUMBER })])
  const broken = [active({ version: 2, schema: BROKEN }), active({ clientId: 'client-2', version: 2, schema: TEXT })]
  for (const round of ['at once', 'and at every refresh']) {
    const problems = schemas.replace(broken)
    t.match(problems, [{ eventType: 'monitor-app', clientId: null, version: 2, message: /schema\/type/ }], round)
    t.equal(problems.length, 1)
    t.equal(takes(schemas, 'client-1'), 'text')
    t.equal(takes(schemas, 'client-2'), 'text')
  }
})

t.test('a schema that never compiled leaves its events to the general schema, or unchecked', async t => {
  const schemas = createPayloadSchemas()
  t.equal(schemas.replace([active({ schema: BROKEN })]).length, 1)
  t.equal(takes(schemas), 'anything')
  schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: BROKEN })])
  t.equal(takes(schemas, 'client-2'), 'text')
})

t.test('no more schemas are held than allowed, and one too many is reported', async t => {
  const schemas = createPayloadSchemas({ maxCached: 2 })
  const one = active({ schema: TEXT })
  const two = active({ eventType: 'user-app', schema: NUMBER })
  const shared = active({ eventType: 'transaction-app', schema: TEXT })
  t.strictSame(schemas.replace([one, two, shared]), [], 'a shared one counts once')
  const three = active({ eventType: 'third', schema: { type: 'boolean' } })
  t.match(schemas.replace([one, two, three]), [{ eventType: 'third', message: 'more than 2 schemas are active' }])
  t.equal(takes(schemas, 'client-1', 'third'), 'anything')
  const twoAgain = active({ eventType: 'user-app', version: 2, schema: BROKEN })
  schemas.replace([one, three, twoAgain])
  t.equal(takes(schemas, 'client-1', 'user-app'), 'anything', 'a last good version counts too')
  t.equal(takes(schemas, 'client-1', 'third'), 'nothing', 'the third is in force once there is room')
})

t.test('compile answers without putting anything in force', async t => {
  const schemas = createPayloadSchemas()
  t.equal(schemas.compile(TEXT).kind, 'compiled')
  t.match(schemas.compile(BROKEN), { kind: 'problem', message: /schema\/type/ })
  t.equal(takes(schemas), 'anything')
})
