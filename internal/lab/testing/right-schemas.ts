/**
 * Correct schemas as people write them, and the outcome of payloads checked against them.
 */
export interface RightSchema {
  readonly why: string
  readonly schema: unknown
  readonly takes: readonly unknown[]
  /** `breaksAt` is the JSON pointer below `message`. */
  readonly breaks: readonly (readonly [payload: unknown, breaksAt: string, keyword: string])[]
}

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'
const DRAFT_2020_12 = 'https://json-schema.org/draft/2020-12/schema'

const MONEY = {
  type: 'object',
  required: ['amount'],
  properties: {
    amount: { type: 'integer', minimum: 0 },
    currency: { type: 'string', pattern: '^[A-Z]{3}$', maxLength: 3 }
  }
}
const TREE = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } }
}

export const RIGHT_SCHEMAS: readonly RightSchema[] = [
  { why: 'anything', schema: true, takes: [{}, [], 'a'], breaks: [] },
  { why: 'nothing', schema: false, takes: [], breaks: [[{}, '', 'false schema']] },
  {
    why: 'a text',
    schema: { type: 'string', minLength: 2 },
    takes: ['ab', 'ää'],
    breaks: [
      ['a', '', 'minLength'],
      [{}, '', 'type']
    ]
  },
  {
    why: 'a length in characters, not units',
    schema: { type: 'string', maxLength: 2 },
    takes: ['😀😀'],
    breaks: [['😀😀😀', '', 'maxLength']]
  },
  {
    why: 'required and typed',
    schema: MONEY,
    takes: [
      { amount: 5, currency: 'EUR' },
      { amount: 0, more: 1 }
    ],
    breaks: [
      [{}, '', 'required'],
      [{ amount: 1.5 }, '/amount', 'type'],
      [{ amount: -1 }, '/amount', 'minimum'],
      [{ amount: 1, currency: 'eur' }, '/currency', 'pattern']
    ]
  },
  {
    why: 'an integer that is written as a fraction',
    schema: { type: 'array', items: { type: 'integer' } },
    takes: [[1, 2]],
    breaks: [[[1, 2.5], '/1', 'type']]
  },
  {
    why: 'closed',
    schema: { type: 'object', properties: { a: { type: 'number' } }, additionalProperties: false },
    takes: [{ a: 1 }],
    breaks: [[{ a: 1, b: 2 }, '', 'additionalProperties']]
  },
  {
    why: 'closed beside allOf',
    schema: {
      type: 'object',
      allOf: [{ properties: { a: { type: 'number' } } }],
      unevaluatedProperties: false
    },
    takes: [{ a: 1 }],
    breaks: [[{ b: 1 }, '', 'unevaluatedProperties']]
  },
  {
    why: 'open, and bounded',
    schema: { type: 'object', maxProperties: 2, additionalProperties: { type: 'number' } },
    takes: [{ a: 1 }],
    breaks: [
      [{ a: 'x' }, '/a', 'type'],
      [{ a: 1, b: 2, c: 3 }, '', 'maxProperties']
    ]
  },
  {
    why: 'names in a pointer are escaped',
    schema: { type: 'object', properties: { 'a/b~c': { type: 'number' } } },
    takes: [{ 'a/b~c': 1 }],
    breaks: [[{ 'a/b~c': 'x' }, '/a~1b~0c', 'type']]
  },
  {
    why: 'names by pattern',
    schema: {
      type: 'object',
      maxProperties: 9,
      propertyNames: { maxLength: 20 },
      patternProperties: { '^n_': { type: 'number' } }
    },
    takes: [{ n_a: 1, b: 'x' }],
    breaks: [
      [{ n_a: 'x' }, '/n_a', 'type'],
      [{ ['n'.repeat(21)]: 1 }, '', 'maxLength']
    ]
  },
  {
    why: 'property names',
    schema: {
      type: 'object',
      maxProperties: 9,
      propertyNames: { pattern: '^[a-z]+$', maxLength: 9 }
    },
    takes: [{ a: 1 }],
    breaks: [[{ A: 1 }, '', 'pattern']]
  },
  {
    why: 'a choice',
    schema: { enum: ['on', 'off', { a: 1 }] },
    takes: ['on', { a: 1 }],
    breaks: [
      ['On', '', 'enum'],
      [{ a: 2 }, '', 'enum']
    ]
  },
  {
    why: 'one value',
    schema: { type: 'object', properties: { v: { const: 2 } } },
    takes: [{ v: 2 }],
    breaks: [[{ v: '2' }, '/v', 'const']]
  },
  {
    why: 'two kinds, told apart by a field',
    schema: {
      type: 'object',
      oneOf: [
        { properties: { kind: { const: 'a' } }, required: ['kind', 'x'] },
        { properties: { kind: { const: 'b' } }, required: ['kind'] }
      ]
    },
    takes: [{ kind: 'a', x: 1 }, { kind: 'b' }],
    breaks: [
      [{ kind: 'a' }, '', 'required'],
      [{ kind: 'c' }, '', 'required']
    ]
  },
  {
    why: 'closed kinds, bounded before',
    schema: {
      allOf: [
        { type: 'object', maxProperties: 20 },
        {
          oneOf: ['a', 'b', 'c', 'd'].map(kind => ({
            type: 'object',
            required: [kind],
            properties: { [kind]: {} },
            additionalProperties: false
          }))
        }
      ]
    },
    takes: [{ a: 1 }, { d: 1 }],
    breaks: [[{ a: 1, e: 1 }, '', 'additionalProperties']]
  },
  {
    why: 'if and then',
    schema: {
      type: 'object',
      if: { properties: { paid: { const: true } }, required: ['paid'] },
      then: { required: ['at'] }
    },
    takes: [{ paid: false }, { paid: true, at: 1 }],
    breaks: [[{ paid: true }, '', 'required']]
  },
  {
    why: 'not',
    schema: { type: 'object', not: { required: ['secret'] } },
    takes: [{}],
    breaks: [[{ secret: 1 }, '', 'not']]
  },
  {
    why: 'one field needs another',
    schema: { type: 'object', dependentRequired: { card: ['address'] } },
    takes: [{}, { card: 1, address: 1 }],
    breaks: [[{ card: 1 }, '', 'dependentRequired']]
  },
  {
    why: 'the same in draft-07',
    schema: { $schema: DRAFT_07, type: 'object', dependencies: { card: ['address'] } },
    takes: [{}],
    breaks: [[{ card: 1 }, '', 'dependencies']]
  },
  {
    why: 'a tuple',
    schema: {
      $schema: DRAFT_2020_12,
      type: 'array',
      prefixItems: [{ type: 'string' }, { type: 'number' }],
      minItems: 2,
      items: false
    },
    takes: [['a', 1]],
    breaks: [
      [[1, 'a'], '/0', 'type'],
      [['a', 1, 2], '', 'items']
    ]
  },
  {
    why: 'a tuple of draft-07',
    schema: {
      $schema: DRAFT_07,
      type: 'array',
      items: [{ type: 'string' }],
      minItems: 1,
      additionalItems: false
    },
    takes: [['a']],
    breaks: [[['a', 1], '', 'additionalItems']]
  },
  {
    why: 'contains',
    schema: { type: 'array', maxItems: 100, contains: { const: 1 }, maxContains: 2 },
    takes: [
      [0, 1],
      [1, 1]
    ],
    breaks: [
      [[0], '', 'contains'],
      [[1, 1, 1], '', 'contains']
    ]
  },
  {
    why: 'unique texts',
    schema: { type: 'array', maxItems: 100, items: { type: 'string' }, uniqueItems: true },
    takes: [['a', 'b']],
    breaks: [[['a', 'a'], '', 'uniqueItems']]
  },
  {
    why: 'a reference into $defs',
    schema: {
      type: 'object',
      properties: { a: { $ref: '#/$defs/id' }, b: { $ref: '#id' } },
      $defs: { id: { $anchor: 'id', type: 'string', maxLength: 2 } }
    },
    takes: [{ a: 'x', b: 'y' }],
    breaks: [
      [{ a: 'abc' }, '/a', 'maxLength'],
      [{ b: 1 }, '/b', 'type']
    ]
  },
  {
    why: 'a tree',
    schema: TREE,
    takes: [{ name: 'a', children: [{ name: 'b' }] }],
    breaks: [[{ name: 'a', children: [{}] }, '/children/0', 'required']]
  },
  {
    why: 'formats',
    schema: {
      type: 'object',
      properties: {
        at: { type: 'string', format: 'date-time', maxLength: 40 },
        id: { type: 'string', format: 'uuid' },
        mail: { type: 'string', format: 'email', maxLength: 320 }
      }
    },
    takes: [
      {
        at: '2026-01-31T00:00:00Z',
        id: '810c0804-6daf-4750-8ff5-6d6a1bd23a07',
        mail: 'a@example.com'
      }
    ],
    breaks: [
      [{ at: '2026-02-31T00:00:00Z' }, '/at', 'format'],
      [{ id: 'x' }, '/id', 'format'],
      [{ mail: 'a@' }, '/mail', 'format']
    ]
  },
  {
    why: 'a pattern on all scripts',
    schema: { type: 'string', pattern: String.raw`^\p{Lu}\p{L}*$`, maxLength: 100 },
    takes: ['Åsa'],
    breaks: [['åsa', '', 'pattern']]
  },
  {
    why: 'a pattern in parts of a text',
    schema: { type: 'string', pattern: 'b', maxLength: 100 },
    takes: ['abc'],
    breaks: [['ac', '', 'pattern']]
  },
  {
    why: 'what every object inherits',
    schema: { type: 'object', required: ['constructor'] },
    takes: [{ constructor: 1 }],
    breaks: [[{}, '', 'required']]
  },
  {
    why: 'a value that may be absent as null',
    schema: { type: 'object', properties: { a: { type: ['string', 'null'] } } },
    takes: [{ a: null }, {}],
    breaks: [[{ a: 1 }, '/a', 'type']]
  }
]
