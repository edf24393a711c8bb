import t from 'tap'
import { admitSchema, SCHEMA_LIMITS } from './admission.js'

const outcome = (schema: unknown): string => {
  const admission = admitSchema(JSON.stringify(schema))
  return admission.kind === 'admitted'
    ? 'admitted'
    : `${admission.pointer || '/'} ${admission.message}`
}
const nested = (levels: number): object => (levels === 1 ? {} : { not: nested(levels - 1) })
const objects = {
  type: 'object',
  required: ['kind'],
  properties: { kind: { type: 'string', maxLength: 20 } }
}
const recursive = (over: object = {}): object => ({
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', maxLength: 100 },
    children: { type: 'array', maxItems: 100, items: { $ref: '#' }, ...over }
  }
})

t.test('ordinary schemas with bounds are admitted', async t => {
  const rows: Record<string, unknown> = {
    anything: true,
    nothing: false,
    'a text': { type: 'string', minLength: 1 },
    'an event': {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['at', 'amount'],
      properties: {
        at: { type: 'string', format: 'date-time', maxLength: 40 },
        amount: { type: 'integer', minimum: 0 },
        currency: { type: 'string', pattern: '^[A-Z]{3}$', maxLength: 3 },
        mail: { type: 'string', format: 'email', maxLength: 320 },
        tags: {
          type: 'array',
          items: { type: 'string', maxLength: 50 },
          maxItems: 100,
          uniqueItems: true
        },
        labels: { type: 'object', maxProperties: 100, additionalProperties: { type: 'string' } }
      },
      additionalProperties: false
    },
    'numbers without a bound': { type: 'array', items: { type: 'number' } },
    'objects of a few kinds, bounded': {
      type: 'array',
      maxItems: 1_000,
      items: { oneOf: [objects, { type: 'null' }] }
    },
    'draft-07': {
      $schema: 'http://json-schema.org/draft-07/schema#',
      definitions: { a: { type: 'number' } },
      $ref: '#/definitions/a'
    },
    'an anchor': { $ref: '#a', $defs: { one: { $anchor: 'a', type: 'number' } } },
    'a tree': recursive(),
    'as deep as allowed': nested(SCHEMA_LIMITS.depth)
  }
  for (const [why, schema] of Object.entries(rows)) t.equal(outcome(schema), 'admitted', why)
})

t.test('a schema beyond a limit is refused before it is compiled', async t => {
  const properties = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, { const: n }]))
  t.equal(
    outcome({ type: 'object', properties: properties(SCHEMA_LIMITS.subschemas - 1) }),
    'admitted'
  )
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [
      { description: 'x'.repeat(SCHEMA_LIMITS.bytes) },
      /^\/ the schema has \d+ bytes: at most 65536/
    ],
    [nested(SCHEMA_LIMITS.depth + 1), /^(\/not){32} the schema is nested more than 32/],
    [
      { type: 'object', properties: properties(SCHEMA_LIMITS.subschemas) },
      /^\/ the schema has more than 500 subschemas/
    ],
    [
      { properties: { a: { enum: Array.from({ length: 1_001 }, (_, n) => n) } } },
      /^\/properties\/a\/enum the enum has 1001 values/
    ]
  ]
  for (const [schema, message] of rows) t.match(outcome(schema), message)
  t.match(admitSchema('{"type":'), {
    kind: 'refused',
    pointer: '',
    message: 'the schema is not JSON'
  })
})

t.test('a reference that leaves the schema or leads nowhere is refused', async t => {
  const rows: readonly (readonly [unknown, string])[] = [
    [{ $ref: 'https://example.com/a.json' }, '/$ref $ref must lead'],
    [{ properties: { a: { $ref: 'other.json#/a' } } }, '/properties/a/$ref $ref must lead'],
    [{ $ref: '#/$defs/nothing' }, '/$ref $ref must lead'],
    [{ $ref: '#nothing' }, '/$ref $ref must lead'],
    [{ $dynamicRef: '#a' }, '/$dynamicRef $dynamicRef is not supported'],
    [
      { $defs: { 'a/b': { $id: 'https://example.com/a' } } },
      '/$defs/a~1b/$id only the whole schema'
    ],
    [{ $async: true, type: 'object' }, '/ $async']
  ]
  for (const [schema, start] of rows) t.equal(outcome(schema).slice(0, start.length), start)
})

t.test('keywords that the standard and the validator read differently are refused', async t => {
  const draft07 = 'http://json-schema.org/draft-07/schema#'
  const number = { type: 'number' }
  t.match(
    outcome({ $schema: draft07, $ref: '#/definitions/a', minimum: 1, definitions: { a: number } }),
    /^\/minimum draft-07 ignores/
  )
  t.match(
    outcome({ type: 'array', unevaluatedItems: false }),
    /^\/unevaluatedItems unevaluatedItems is not/
  )
  t.match(admitSchema('{"type":"object","properties":{"__proto__":{"type":"number"}}}'), {
    kind: 'refused',
    pointer: '/properties'
  })
  const rule = {
    type: 'object',
    if: { required: ['a'] },
    else: { required: ['b'] },
    unevaluatedProperties: false
  }
  t.match(outcome(rule), /^\/if with unevaluatedProperties/)
  t.equal(outcome({ ...rule, then: true }), 'admitted')
})

t.test('a pattern that could run for long is refused, with its pointer', async t => {
  t.match(
    outcome({ type: 'string', pattern: '(?=a)', maxLength: 5 }),
    /^\/pattern the pattern cannot run in linear time/
  )
  t.match(
    outcome({ type: 'object', patternProperties: { '(a)\\1/': true } }),
    /^\/patternProperties\/\(a\)\\1~1 the pattern cannot run/
  )
  t.match(
    outcome({ $defs: { a: { type: 'string', pattern: '(' } } }),
    /^\/\$defs\/a\/pattern Invalid regular expression/
  )
  t.equal(
    outcome({ type: 'string', maxLength: 100, pattern: '^(a+)+$' }),
    'admitted',
    'no admitted pattern is slow by itself'
  )
  t.match(outcome({ type: 'string', format: 'url' }), /unknown format "url"/)
})

t.test('a schema that one payload could keep busy is refused until it is bounded', async t => {
  const text = { type: 'string', pattern: '^[a-z]+$' }
  const mail = { type: 'string', format: 'email' }
  const branches = { anyOf: [{ type: 'string' }, { type: 'number' }] }
  const many = Array.from({ length: 20 }, (_, n) => ({ type: 'object', required: [`p${n}`] }))
  const rows: Record<string, readonly [schema: object, pointer: string, bounded: object]> = {
    'a text with a pattern': [text, '/', { ...text, maxLength: 1_000 }],
    'a mail address': [
      { properties: { mail }, type: 'object' },
      '/properties/mail',
      { ...mail, maxLength: 320 }
    ],
    'a regular expression': [
      { type: 'string', format: 'regex' },
      '/',
      { type: 'string', format: 'regex', maxLength: 1_000 }
    ],
    'patterns in an array': [
      { type: 'array', items: { ...text, maxLength: 100 } },
      '/',
      { type: 'array', items: { ...text, maxLength: 100 }, maxItems: 1_000 }
    ],
    'branches in an array': [
      { type: 'array', items: branches },
      '/',
      { type: 'array', items: branches, maxItems: 10_000 }
    ],
    'many branches in an array': [
      { type: 'array', items: { oneOf: many }, maxItems: 100_000 },
      '/',
      { type: 'array', items: { oneOf: many }, maxItems: 2_000 }
    ],
    'unique objects': [
      {
        type: 'object',
        properties: { all: { type: 'array', uniqueItems: true, maxItems: 1_000 } }
      },
      '/properties/all',
      { type: 'array', uniqueItems: true, items: { type: 'string' }, maxItems: 1_000 }
    ],
    'unique texts without a bound': [
      { type: 'array', uniqueItems: true, items: { type: 'string' } },
      '/',
      { type: 'array', uniqueItems: true, items: { type: 'string' }, maxItems: 10_000 }
    ],
    contains: [
      { type: 'array', contains: { type: 'string' }, maxContains: 3 },
      '/',
      { type: 'array', contains: { type: 'string' }, maxContains: 3, maxItems: 10_000 }
    ],
    'open objects': [
      { type: 'object', additionalProperties: { type: 'number' } },
      '/',
      { type: 'object', additionalProperties: { type: 'number' }, maxProperties: 1_000 }
    ],
    'names of properties': [
      { type: 'object', propertyNames: { maxLength: 10 } },
      '/',
      { type: 'object', propertyNames: { maxLength: 10 }, maxProperties: 1_000 }
    ],
    'unevaluated properties': [
      {
        type: 'object',
        anyOf: [{ required: ['a'] }, { required: ['b'] }],
        unevaluatedProperties: { type: 'number' }
      },
      '/',
      {
        type: 'object',
        anyOf: [{ required: ['a'] }, { required: ['b'] }],
        unevaluatedProperties: false
      }
    ],
    'a tree that branches at each level': [
      {
        $ref: '#/$defs/a',
        $defs: {
          a: {
            type: 'array',
            maxItems: 1_000,
            items: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] }
          }
        }
      },
      '/$defs/a/items/anyOf/0',
      {
        type: 'array',
        maxItems: 1_000,
        items: { anyOf: [{ type: 'array', maxItems: 5 }, { type: 'string' }] }
      }
    ],
    'a definition used in an array': [
      {
        type: 'array',
        items: { $ref: '#/$defs/a' },
        $defs: { a: { type: 'array', items: branches } }
      },
      '/items',
      {
        type: 'array',
        items: { $ref: '#/$defs/a' },
        maxItems: 100,
        $defs: { a: { type: 'array', items: branches, maxItems: 100 } }
      }
    ]
  }
  for (const [why, [schema, pointer, bounded]] of Object.entries(rows)) {
    t.match(outcome(schema), /busy .* add bounds below this place/, why)
    t.equal(outcome(schema).split(' ')[0], pointer, why)
    t.equal(outcome(bounded), 'admitted', `${why}, bounded`)
  }
  t.match(outcome({ $ref: '#' }), /^\/ .*(call stack|without end)/)
})

t.test('each walk over a MiB of keys counts, unless an earlier allOf part bounds them', async t => {
  const closed = (name: string): object => ({
    type: 'object',
    required: [name],
    properties: { [name]: {} },
    additionalProperties: false
  })
  const kinds = (count: number): object => ({
    oneOf: Array.from({ length: count }, (_, n) => closed(`k${n}`))
  })
  t.equal(outcome(kinds(1)), 'admitted')
  t.match(outcome(kinds(2)), /^\/ .*in the first part of an allOf/)
  const bound = { type: 'object', maxProperties: 50 }
  t.equal(outcome({ allOf: [bound, kinds(20)] }), 'admitted')
  t.equal(
    outcome({ allOf: [closed('k0'), kinds(20)] }),
    'admitted',
    'a part that names all keys bounds them too'
  )
  t.match(outcome({ allOf: [kinds(20), bound] }), /^\/allOf\/0 /, 'a later part does not')
  t.equal(
    outcome({
      type: 'object',
      additionalProperties: false,
      properties: { a: { ...closed('b') }, c: { ...closed('d') } }
    }),
    'admitted'
  )
})

t.test('patterns for names are admitted if the length of names is bounded', async t => {
  const schema = {
    type: 'object',
    maxProperties: 100,
    patternProperties: { '^x_': { type: 'number' } }
  }
  t.match(outcome(schema), /^\/ .*add bounds below this place/)
  t.equal(outcome({ ...schema, propertyNames: { maxLength: 100 } }), 'admitted')
})

t.test('keywords that cost more than they seem to are counted', async t => {
  const rows: Record<string, readonly [dear: object, bounded: object]> = {
    multiples: [
      { type: 'array', items: { type: 'number', multipleOf: 0.01 } },
      { type: 'array', maxItems: 1_000, items: { type: 'number', multipleOf: 0.01 } }
    ],
    'a choice of objects': [
      {
        type: 'array',
        maxItems: 10_000,
        items: { enum: Array.from({ length: 500 }, (_, a) => ({ a })) }
      },
      {
        type: 'array',
        maxItems: 100,
        items: { enum: Array.from({ length: 500 }, (_, a) => ({ a })) }
      }
    ],
    'missing names in any number of objects': [
      {
        type: 'array',
        items: { type: 'object', properties: { a: {}, b: {}, c: {}, d: {}, e: {} } }
      },
      {
        type: 'array',
        maxItems: 10_000,
        items: { type: 'object', properties: { a: {}, b: {}, c: {}, d: {}, e: {} } }
      }
    ],
    'keys that are counted repeatedly': [
      { allOf: [1, 2, 3].map(minProperties => ({ type: 'object', minProperties })) },
      {
        allOf: [
          { type: 'object', maxProperties: 100 },
          { type: 'object', minProperties: 1 },
          { type: 'object', minProperties: 2 }
        ]
      }
    ]
  }
  for (const [why, [dear, bounded]] of Object.entries(rows)) {
    t.match(outcome(dear), /busy/, why)
    t.equal(outcome(bounded), 'admitted', `${why}, bounded`)
  }
})
