import t from 'tap'
import { type CompiledSchema, compileSchema, MAX_VIOLATIONS } from './schema-compiler.js'

const compiled = (schema: unknown): CompiledSchema => {
  const outcome = compileSchema(schema)
  if (outcome.kind === 'problem') throw new Error(outcome.message)
  return outcome
}
const problem = (schema: unknown): string => {
  const outcome = compileSchema(schema)
  return outcome.kind === 'problem' ? outcome.message : 'no problem'
}
const pointers = (schema: unknown, payload: unknown): string[] =>
  compiled(schema)
    .check(payload)
    .map(({ pointer, keyword }) => `${pointer} ${keyword}`)

t.test('a violation points below /message and describes the value without quoting it', async t => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: { a: { type: 'array', items: { type: 'number' } }, 'b/c': { enum: ['x', 'y'] } }
  }
  t.strictSame(pointers(schema, { a: [1] }), [])
  t.strictSame(pointers(schema, {}), ['/message required'])
  t.strictSame(pointers(schema, 'secret'), ['/message type'])
  t.strictSame(pointers(schema, { a: [1, 'secret'] }), ['/message/a/1 type'])
  const { check } = compiled(schema)
  t.equal(
    check({ a: [1, 'secret'] })[0]?.message,
    '/message/a/1 must be number (found a string of 6 characters (6 bytes))'
  )
  t.equal(
    check({ a: [], 'b/c': 'secret' })[0]?.message,
    '/message/b~1c must be equal to one of the allowed values: ["x","y"] ' +
      '(found a string of 6 characters (6 bytes))'
  )
})

t.test('violations are few, short and storable, whatever the payload', async t => {
  const branches = { anyOf: Array.from({ length: 50 }, (_, n) => ({ const: n })) }
  t.equal(compiled(branches).check('x').length, MAX_VIOLATIONS)
  const strict = { type: 'object', additionalProperties: { type: 'number' } }
  const [wrong] = compiled(strict).check({ [`\0\ud800${'k'.repeat(5_000)}`]: 'x' })
  t.match(wrong, { keyword: 'type', pointer: /^\/message\/\ufffd\ufffdk+…$/ })
  t.equal(wrong?.pointer.length, 300)
  t.ok(wrong && wrong.message.length <= 500)
  const [extra] = compiled({ type: 'object', additionalProperties: false }).check({ nope: 1 })
  t.equal(extra?.message, '/message must NOT have additional properties: "nope" (found an object)')
})

t.test('$schema chooses the dialect, 2020-12 by default', async t => {
  const draft07 = 'http://json-schema.org/draft-07/schema#'
  const draft2020 = 'https://json-schema.org/draft/2020-12/schema'
  const tuple07 = {
    type: 'array',
    items: [{ type: 'string' }],
    minItems: 1,
    additionalItems: false
  }
  const tuple2020 = { type: 'array', prefixItems: [{ type: 'string' }], minItems: 1, items: false }
  t.strictSame(pointers({ $schema: draft07, ...tuple07 }, [1]), ['/message/0 type'])
  t.strictSame(pointers({ $schema: draft2020, ...tuple2020 }, [1]), ['/message/0 type'])
  t.strictSame(pointers(tuple2020, [1]), ['/message/0 type'])
  t.match(problem(tuple07), /^schema\/items must be object,boolean/)
  t.match(problem({ $schema: draft07, ...tuple2020 }), /unknown keyword: "prefixItems"/)
  t.equal(
    problem({ $schema: 'http://json-schema.org/draft-04/schema#' }),
    '$schema names neither draft-07 nor 2020-12'
  )
  t.equal(problem({ $schema: 7 }), '$schema names neither draft-07 nor 2020-12')
})

t.test('an unusable schema is a problem in words, never an exception', async t => {
  const rows: { schema: unknown; want: RegExp }[] = [
    { schema: null, want: /found null/ },
    { schema: [], want: /found an array of 0 items/ },
    { schema: 'x', want: /found a string/ },
    { schema: { type: 'strin' }, want: /schema\/type/ },
    { schema: { type: 'object', propertis: {} }, want: /unknown keyword: "propertis"/ },
    { schema: { type: 'string', format: 'dat' }, want: /unknown format "dat"/ },
    { schema: { type: 'string', pattern: '(' }, want: /pattern|regular expression/i },
    { schema: { properties: { a: true } }, want: /missing type "object"/ },
    { schema: { type: 'number', maximum: { $data: '1/a' } }, want: /maximum must be number/ },
    { schema: { $ref: 'https://example.com/other.json' }, want: /can't resolve reference/ },
    {
      schema: { $ref: 'https://json-schema.org/draft/2020-12/schema' },
      want: /can't resolve reference/
    },
    { schema: { $async: true, type: 'object' }, want: /\$async/ },
    { schema: { $ref: '#' }, want: /call stack/ }
  ]
  for (const { schema, want } of rows) t.match(problem(schema), want, JSON.stringify(schema))
  let deep: object = {}
  for (let level = 0; level < 20_000; level++) deep = { not: deep }
  t.equal(compileSchema(deep).kind, 'problem')
  t.ok(problem({ type: 'object', ['x'.repeat(9_000)]: 1 }).length <= 500)
})

t.test('inner references, formats, union types and the anyOf-required idiom work', async t => {
  const schema = {
    type: 'object',
    properties: { at: { type: 'string', format: 'date-time' }, unit: { $ref: '#/$defs/unit' } },
    anyOf: [{ required: ['at'] }, { required: ['unit'] }],
    $defs: { unit: { type: ['string', 'boolean'] } }
  }
  t.strictSame(pointers(schema, { unit: true }), [])
  t.strictSame(pointers(schema, { at: 'yesterday' }), ['/message/at format'])
  t.strictSame(pointers(schema, { unit: 5 }), ['/message/unit type'])
  t.equal(pointers(schema, {}).at(-1), '/message anyOf')
})

t.test('two patterns of a schema are not confused', async t => {
  const schema = {
    type: 'object',
    patternProperties: { '^a': { type: 'number' }, '^b': { type: 'string' } },
    additionalProperties: false
  }
  t.strictSame(pointers(schema, { a1: 1, b1: 'x' }), [])
  t.strictSame(pointers(schema, { b1: 1 }), ['/message/b1 type'])
  const two = {
    type: 'object',
    properties: { a: { type: 'string', pattern: '^a' }, b: { type: 'string', pattern: '^b' } }
  }
  t.strictSame(pointers(two, { a: 'a', b: 'b' }), [])
  t.strictSame(pointers(two, { a: 'b', b: 'b' }), ['/message/a pattern'])
})

t.test('what every object inherits is not a property of a payload', async t => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
    const schema = JSON.parse(
      `{"type":"object","required":["${name}"],"properties":{"${name}":{"type":"number"}}}`
    ) as unknown
    t.strictSame(pointers(schema, {}), ['/message required'], name)
    t.strictSame(pointers(schema, JSON.parse(`{"${name}":1}`)), [], name)
    t.strictSame(pointers(schema, JSON.parse(`{"${name}":"x"}`)), [`/message/${name} type`], name)
  }
})

t.test('__proto__ is required like any other property', async t => {
  t.strictSame(pointers({ type: 'object', required: ['__proto__'] }, {}), ['/message required'])
  t.strictSame(
    pointers({ type: 'object', required: ['__proto__'] }, JSON.parse('{"__proto__":1}')),
    []
  )
})

t.test('a check does not change the payload', async t => {
  const payload: unknown = { n: '5' }
  compiled({
    type: 'object',
    properties: { a: { type: 'string', default: 'x' }, n: { type: 'string' } }
  }).check(payload)
  t.strictSame(payload, { n: '5' })
})

t.test('two schemas with the same $id do not collide', async t => {
  t.strictSame(pointers({ $id: 'https://example.com/s', type: 'string' }, 5), ['/message type'])
  t.strictSame(pointers({ $id: 'https://example.com/s', type: 'number' }, 5), [])
})
