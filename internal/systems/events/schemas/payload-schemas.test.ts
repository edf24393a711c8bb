import t from 'tap'
import {
  createPayloadSchemas,
  MAX_SHADOWS,
  type PayloadSchemas,
  type RegisteredSchema
} from './payload-schemas.js'

const active = (over: Partial<RegisteredSchema> & { schema: unknown }): RegisteredSchema => ({
  id: 1,
  eventType: 'monitor-app',
  clientId: null,
  version: 1,
  state: 'active',
  hash: JSON.stringify(over.schema),
  ...over
})
const shadow = (over: Partial<RegisteredSchema> & { schema: unknown }): RegisteredSchema =>
  active({ state: 'shadow', ...over })
const TEXT = { type: 'string' }
const NUMBER = { type: 'number' }
const BROKEN = { type: 'nothing' }

/** Whether the schema in force for (client, event type) accepts a text or a number. */
const takes = (
  schemas: PayloadSchemas,
  clientId = 'client-1',
  eventType = 'monitor-app'
): string => {
  const schema = schemas.find(clientId, eventType)?.active
  if (!schema) return 'anything'
  return schema.check('x').length === 0
    ? 'text'
    : schema.check(1).length === 0
      ? 'number'
      : 'nothing'
}

t.test("a client's own schema takes precedence over the general one", async t => {
  const schemas = createPayloadSchemas()
  t.equal(takes(schemas), 'anything')
  t.strictSame(
    schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: NUMBER })]),
    []
  )
  t.equal(takes(schemas, 'client-1'), 'text')
  t.equal(takes(schemas, 'client-2'), 'number')
  t.equal(takes(schemas, 'client-2', 'user-app'), 'anything')
  t.equal(takes(schemas, '__proto__', 'constructor'), 'anything')
})

t.test('replace forgets the schemas that are not in its list', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([active({ schema: TEXT }), active({ eventType: 'user-app', schema: TEXT })])
  schemas.replace([active({ version: 2, schema: NUMBER })])
  t.equal(takes(schemas), 'number')
  t.equal(takes(schemas, 'client-1', 'user-app'), 'anything')
})

t.test('equal hashes are compiled once, across replacements too', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: TEXT })])
  const check = (clientId: string): unknown => schemas.find(clientId, 'monitor-app')?.active?.check
  const first = check('client-1')
  t.type(first, 'function')
  t.equal(check('client-2'), first)
  schemas.replace([active({ clientId: 'client-3', schema: TEXT })])
  t.equal(check('client-3'), first)
})

t.test('a schema that does not compile is reported, and the last good version stays', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: NUMBER })])
  const broken = [
    active({ version: 2, schema: BROKEN }),
    active({ clientId: 'client-2', version: 2, schema: TEXT })
  ]
  for (const round of ['at once', 'and at every refresh']) {
    const problems = schemas.replace(broken)
    t.match(
      problems,
      [{ eventType: 'monitor-app', clientId: null, version: 2, message: /schema\/type/ }],
      round
    )
    t.equal(problems.length, 1)
    t.equal(takes(schemas, 'client-1'), 'text')
    t.equal(takes(schemas, 'client-2'), 'text')
  }
})

t.test('without a version that compiles, events meet the general schema or none', async t => {
  const schemas = createPayloadSchemas()
  t.equal(schemas.replace([active({ schema: BROKEN })]).length, 1)
  t.equal(takes(schemas), 'anything')
  schemas.replace([active({ schema: TEXT }), active({ clientId: 'client-2', schema: BROKEN })])
  t.equal(takes(schemas, 'client-2'), 'text')
})

t.test('the number of schemas is limited, and one too many is reported', async t => {
  const schemas = createPayloadSchemas({ maxCached: 2 })
  const one = active({ schema: TEXT })
  const two = active({ eventType: 'user-app', schema: NUMBER })
  const shared = active({ eventType: 'transaction-app', schema: TEXT })
  t.strictSame(schemas.replace([one, two, shared]), [], 'a shared one counts once')
  const three = active({ eventType: 'third', schema: { type: 'boolean' } })
  t.match(schemas.replace([one, two, three]), [
    { eventType: 'third', message: 'more than 2 schemas are in force' }
  ])
  t.equal(takes(schemas, 'client-1', 'third'), 'anything')
  const twoAgain = active({ eventType: 'user-app', version: 2, schema: BROKEN })
  schemas.replace([one, three, twoAgain])
  t.equal(takes(schemas, 'client-1', 'user-app'), 'anything', 'a last good version counts too')
  t.equal(
    takes(schemas, 'client-1', 'third'),
    'nothing',
    'the third is in force once there is room'
  )
})

const labels = (schemas: PayloadSchemas, clientId: string): readonly string[] | undefined =>
  schemas.find(clientId, 'monitor-app')?.shadows.map(({ label }) => label)

t.test('a shadow version checks the events that it would judge if it were active', async t => {
  const schemas = createPayloadSchemas()
  schemas.replace([
    active({ id: 1, schema: TEXT }),
    shadow({ id: 2, version: 2, schema: NUMBER }),
    active({ id: 3, clientId: 'client-2', schema: NUMBER }),
    shadow({ id: 4, clientId: 'client-3', schema: NUMBER })
  ])
  t.strictSame(labels(schemas, 'client-1'), ['monitor-app/*/2'])
  t.strictSame(
    labels(schemas, 'client-2'),
    [],
    'its own active schema takes precedence over a general one'
  )
  t.strictSame(labels(schemas, 'client-3'), ['monitor-app/client-3/1', 'monitor-app/*/2'])
  t.equal(takes(schemas, 'client-3'), 'text', 'the general schema still judges its events')
  t.equal(schemas.find('client-3', 'monitor-app')?.active?.id, 1)
  schemas.replace([shadow({ clientId: 'client-3', schema: NUMBER })])
  t.equal(takes(schemas, 'client-3'), 'anything', 'a shadow version alone judges nobody')
  t.equal(schemas.find('client-1', 'monitor-app'), null)
})

t.test(
  'only the newest shadow versions of a place check events; the others are reported',
  async t => {
    const schemas = createPayloadSchemas()
    const rows = Array.from({ length: MAX_SHADOWS + 1 }, (_, n) =>
      shadow({ id: n + 1, version: n + 1, schema: TEXT })
    )
    t.match(schemas.replace(rows), [{ version: 1, state: 'shadow', message: /only the newest 3/ }])
    t.strictSame(labels(schemas, 'client-1'), [
      'monitor-app/*/4',
      'monitor-app/*/3',
      'monitor-app/*/2'
    ])
  }
)

t.test(
  'a general schema used in place of a broken one does not become the client’s own',
  async t => {
    const schemas = createPayloadSchemas()
    const broken = [
      active({ clientId: 'client-1', schema: BROKEN }),
      shadow({ clientId: 'client-1', version: 2, schema: TEXT })
    ]
    schemas.replace([active({ schema: TEXT }), ...broken])
    t.equal(takes(schemas), 'text')
    schemas.replace([active({ version: 2, schema: NUMBER }), ...broken])
    t.equal(takes(schemas), 'number')
  }
)

/** Compiles, but registration refuses it: any number of texts, each with branches. */
const DEAR = { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }

t.test(
  'an active version beyond the registration limits still judges, and is reported',
  async t => {
    const schemas = createPayloadSchemas()
    for (const round of ['at once', 'and at every refresh']) {
      const problems = schemas.replace([
        active({ schema: DEAR }),
        active({ clientId: 'client-2', schema: TEXT })
      ])
      t.match(
        problems,
        [{ version: 1, state: 'active', isInForce: true, message: /could keep this schema busy/ }],
        round
      )
      t.equal(problems.length, 1)
      t.equal(schemas.find('client-1', 'monitor-app')?.active?.check([1])[0]?.keyword, 'type')
      t.equal(takes(schemas, 'client-2'), 'text')
    }
  }
)

t.test('a shadow version beyond the limits checks nothing, and is reported', async t => {
  const schemas = createPayloadSchemas()
  const problems = schemas.replace([
    active({ schema: TEXT }),
    shadow({ id: 2, version: 2, schema: DEAR }),
    shadow({ id: 3, version: 3, schema: NUMBER })
  ])
  t.match(problems, [
    { version: 2, state: 'shadow', isInForce: false, message: /could keep this schema busy/ }
  ])
  t.strictSame(labels(schemas, 'client-1'), ['monitor-app/*/3'])
  t.match(schemas.replace([active({ schema: BROKEN })]), [{ isInForce: false }])
})
