/** Wrong schemas as people write them, and why registration refuses them. */
export interface WrongSchema {
  readonly why: string
  /** Objects are written as JSON; a text is the file's content. */
  readonly schema: unknown
  /** JSON pointer into the schema. */
  readonly refusedAt: string
  readonly reason: RegExp
}

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'
const nested = (levels: number): object => (levels === 1 ? {} : { not: nested(levels - 1) })

export const WRONG_SCHEMAS: readonly WrongSchema[] = [
  { why: 'an empty file', schema: '', refusedAt: '', reason: /not JSON/ },
  { why: 'half a file', schema: '{"type":"object",', refusedAt: '', reason: /not JSON/ },
  {
    why: 'a comment in it',
    schema: '{"type":"object"} // ours',
    refusedAt: '',
    reason: /not JSON/
  },
  { why: 'a list', schema: [], refusedAt: '', reason: /object or a boolean/ },
  { why: 'a text', schema: '"object"', refusedAt: '', reason: /object or a boolean/ },
  { why: 'null', schema: 'null', refusedAt: '', reason: /found null/ },
  {
    why: 'a type that does not exist',
    schema: { type: 'text' },
    refusedAt: '/type',
    reason: /must be equal to one of/
  },
  {
    why: 'a misspelt keyword',
    schema: { type: 'object', requierd: ['a'] },
    refusedAt: '',
    reason: /unknown keyword: "requierd"/
  },
  {
    why: 'a misspelt format',
    schema: { type: 'string', format: 'datetime' },
    refusedAt: '',
    reason: /unknown format "datetime"/
  },
  {
    why: 'required as a text',
    schema: { type: 'object', required: 'a' },
    refusedAt: '/required',
    reason: /must be array/
  },
  {
    why: 'required as draft-03 has it',
    schema: { type: 'object', properties: { a: { required: true } } },
    refusedAt: '/properties/a/required',
    reason: /must be array/
  },
  {
    why: 'properties as a list',
    schema: { type: 'object', properties: ['a'] },
    refusedAt: '/properties',
    reason: /must be object/
  },
  {
    why: 'a negative length',
    schema: { type: 'string', maxLength: -1 },
    refusedAt: '/maxLength',
    reason: /must be >= 0/
  },
  {
    why: 'a length as a text',
    schema: { type: 'string', maxLength: '9' },
    refusedAt: '/maxLength',
    reason: /must be integer/
  },
  {
    why: 'multipleOf zero',
    schema: { type: 'number', multipleOf: 0 },
    refusedAt: '/multipleOf',
    reason: /must be > 0/
  },
  {
    why: 'anyOf without branches',
    schema: { anyOf: [] },
    refusedAt: '/anyOf',
    reason: /fewer than 1/
  },
  {
    why: 'a keyword without the type that it is for',
    schema: { properties: { a: true } },
    refusedAt: '',
    reason: /missing type "object"/
  },
  {
    why: 'a tuple of draft-07 in 2020-12',
    schema: { type: 'array', items: [{ type: 'string' }] },
    refusedAt: '/items',
    reason: /must be object,boolean/
  },
  {
    why: 'a tuple of 2020-12 in draft-07',
    schema: { $schema: DRAFT_07, type: 'array', prefixItems: [{}] },
    refusedAt: '',
    reason: /unknown keyword: "prefixItems"/
  },
  {
    why: 'a draft that is too old',
    schema: { $schema: 'http://json-schema.org/draft-04/schema#' },
    refusedAt: '',
    reason: /neither draft-07 nor 2020-12/
  },
  {
    why: 'a reference to the network',
    schema: { $ref: 'https://example.com/a.json' },
    refusedAt: '/$ref',
    reason: /within the schema/
  },
  {
    why: 'a reference to a file',
    schema: { type: 'object', properties: { a: { $ref: './a.json' } } },
    refusedAt: '/properties/a/$ref',
    reason: /within the schema/
  },
  {
    why: 'a reference to nothing',
    schema: { $ref: '#/$defs/a', $defs: { b: {} } },
    refusedAt: '/$ref',
    reason: /lead to a place/
  },
  {
    why: 'a reference to what is no schema',
    schema: { $ref: '#/title', title: 'a' },
    refusedAt: '/$ref',
    reason: /lead to a place/
  },
  {
    why: 'a reference to itself',
    schema: { $ref: '#' },
    refusedAt: '',
    reason: /call stack|without end/
  },
  {
    why: 'a rule beside $ref in draft-07',
    schema: { $schema: DRAFT_07, $ref: '#/definitions/a', maxLength: 1, definitions: { a: {} } },
    refusedAt: '/maxLength',
    reason: /ignores keywords next to/
  },
  {
    why: 'an $id within',
    schema: { $defs: { a: { $id: 'https://example.com/a' } } },
    refusedAt: '/$defs/a/$id',
    reason: /only the whole schema/
  },
  {
    why: 'a dynamic reference',
    schema: { $dynamicRef: '#a' },
    refusedAt: '/$dynamicRef',
    reason: /not supported/
  },
  {
    why: '$data',
    schema: { type: 'number', maximum: { $data: '1/a' } },
    refusedAt: '/maximum',
    reason: /must be number/
  },
  {
    why: 'an asynchronous schema',
    schema: { $async: true, type: 'object' },
    refusedAt: '',
    reason: /\$async/
  },
  {
    why: 'a property named __proto__',
    schema: JSON.parse('{"type":"object","properties":{"__proto__":{}}}'),
    refusedAt: '/properties',
    reason: /__proto__/
  },
  {
    why: 'a pattern that is none',
    schema: { type: 'string', pattern: '[a' },
    refusedAt: '/pattern',
    reason: /[Rr]egular expression/
  },
  {
    why: 'a look-ahead',
    schema: { type: 'string', pattern: '^(?!x)', maxLength: 9 },
    refusedAt: '/pattern',
    reason: /linear time/
  },
  {
    why: 'a back reference',
    schema: { type: 'object', patternProperties: { '(.)\\1': {} } },
    refusedAt: '/patternProperties/(.)\\1',
    reason: /linear time/
  },
  {
    why: 'a pattern without a length',
    schema: { type: 'object', properties: { 'a/b': { type: 'string', pattern: '^a+$' } } },
    refusedAt: '/properties/a~1b',
    reason: /maxLength/
  },
  {
    why: 'branches in an array without a bound',
    schema: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
    refusedAt: '',
    reason: /maxItems/
  },
  {
    why: 'any number of any keys',
    schema: { type: 'object', additionalProperties: { type: 'number' } },
    refusedAt: '',
    reason: /maxProperties/
  },
  {
    why: 'unique objects',
    schema: { type: 'array', uniqueItems: true, maxItems: 1_000 },
    refusedAt: '',
    reason: /unique items/
  },
  {
    why: 'multiples in an array',
    schema: {
      type: 'array',
      items: { allOf: [2, 3, 5, 7].map(multipleOf => ({ type: 'number', multipleOf })) }
    },
    refusedAt: '',
    reason: /maxItems/
  },
  {
    why: 'too deep',
    schema: nested(33),
    refusedAt: '/not'.repeat(32),
    reason: /more than 32 levels/
  },
  {
    why: 'too large',
    schema: { description: 'x'.repeat(65_536) },
    refusedAt: '',
    reason: /at most 65536/
  },
  {
    why: 'what the database cannot compare',
    schema: '{"const":"\\u0000"}',
    refusedAt: '',
    reason: /U\+0000/
  }
]
