/**
 * Schemas that registration only just accepts, one for each kind of cost that
 * internal/systems/events/schemas/schema-cost.ts counts, with the worst payload that fits
 * into 1 MiB.
 *
 * Shapes  a bound (of items, keys, characters or rules) in; a schema and the text of a
 *         payload out. A larger bound costs more.
 */
export interface CostCase {
  readonly name: string
  /**
   * A larger bound changes nothing: the payload is full, or the schema has reached
   * another limit.
   */
  readonly largest: number
  readonly schema: (bound: number) => object
  readonly payload: (bound: number) => string
}

export const PAYLOAD_BYTES = 1_048_576
const ITEMS = 524_288
/** Just below the number of subschemas that a schema may have. */
const RULES = 480

/** An array, an object or a text with as many parts as the bytes and the bound allow. */
function fill(open: string, part: (n: number) => string, close: string, most = Infinity): string {
  const parts: string[] = []
  let bytes = open.length + close.length - 1
  for (let n = 0; n < most; n++) {
    const next = part(n)
    bytes += Buffer.byteLength(next) + 1
    if (bytes > PAYLOAD_BYTES) break
    parts.push(next)
  }
  return `${open}${parts.join(',')}${close}`
}

const array = (part: (n: number) => string, most?: number): string => fill('[', part, ']', most)
const object = (most?: number, value = '0'): string =>
  fill('{', n => `"${n.toString(36)}":${value}`, '}', most)
/** At most `most` characters: code points, as the keywords count them. */
const text = (part: string, most = Infinity): string =>
  JSON.stringify(
    part.repeat(
      Math.min(most / Array.from(part).length, (PAYLOAD_BYTES - 2) / Buffer.byteLength(part))
    )
  )

const often = (count: number, rule: (n: number) => unknown): readonly unknown[] =>
  Array.from({ length: count }, (_, n) => rule(n))
const named = (count: number, rule: unknown): object =>
  Object.fromEntries(often(count, n => [`p${n}`, rule]) as [string, unknown][])

const NUMBER = { type: 'number' }
const TEXT = { type: 'string' }
/** A failure inside it does not end the check. */
const orElse = (schema: object): object => ({ anyOf: [schema, true] })

/** `count` rules for each item of an array. */
const rules = (
  name: string,
  rule: (n: number) => object,
  item: (n: number) => string
): CostCase => ({
  name,
  largest: RULES / 2,
  schema: count => ({
    type: 'array',
    items: { allOf: often(count, rule) }
  }),
  payload: () => array(item)
})
/** One rule, for up to `maxItems` items. */
const items = (name: string, each: object, item: (n: number) => string): CostCase => ({
  name,
  largest: ITEMS,
  schema: maxItems => ({ type: 'array', maxItems, ...each }),
  payload: maxItems => array(item, maxItems)
})
const keys = (name: string, rest: object, value?: string): CostCase => ({
  name,
  largest: 200_000,
  schema: maxProperties => ({ type: 'object', maxProperties, ...rest }),
  payload: maxProperties => object(maxProperties, value)
})
const characters = (name: string, rule: object, part: string): CostCase => ({
  name,
  largest: PAYLOAD_BYTES,
  schema: maxLength => ({ type: 'string', maxLength, ...rule }),
  payload: maxLength => text(part, maxLength)
})
const pattern = (name: string, source: string, part: string): CostCase =>
  characters(`pattern: ${name}`, { pattern: source }, part)
const format = (name: string, part: string): CostCase =>
  characters(`format: ${name}`, { format: name }, part)

const manyBranches = (keyword: string): object => ({
  [keyword]: often(20, n => ({ type: 'object', required: [`p${n}`] }))
})

const closed = (names: number): object => ({
  type: 'object',
  properties: named(names, NUMBER),
  additionalProperties: false
})
const full = (names: number): string => `{${often(names, n => `"p${n}":1`).join(',')}}`
/** Objects with different keys: each costs a lookup of its own. */
const strange = (n: number): string => `{"${n.toString(36)}":0}`
const ownRules = (count: number, rule: (n: number) => readonly [string, unknown]): object =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => rule(n)))
/** Five rules for each item. */
const five = (name: string, rule: (n: number) => object, item: (n: number) => string): CostCase =>
  items(name, { items: { allOf: often(5, rule) } }, item)
/** `count` rules on one value. */
const wide = (name: string, rule: (n: number) => object, payload: () => string): CostCase => ({
  name,
  largest: RULES,
  schema: count => ({ allOf: often(count, rule) }),
  payload
})

export const COST_CASES: readonly CostCase[] = [
  rules(
    'type',
    () => NUMBER,
    () => '1'
  ),
  five(
    'type integer, huge numbers',
    n => orElse({ type: 'integer', minimum: n }),
    () => '9e307'
  ),
  rules(
    'minimum',
    n => ({ type: 'number', minimum: -n }),
    () => '1'
  ),
  five(
    'multipleOf',
    n => ({ type: 'number', multipleOf: 2 ** -(33 + n) }),
    () => '1'
  ),
  five(
    'multipleOf that fails',
    n => orElse({ type: 'number', multipleOf: (n + 1) * 1e-300 }),
    () => '1'
  ),
  rules(
    'maxLength of short texts',
    n => ({ type: 'string', maxLength: 1 + n }),
    () => '""'
  ),
  wide(
    'maxLength of a long text',
    n => ({ type: 'string', maxLength: PAYLOAD_BYTES + n }),
    () => text('\u{1f600}'.repeat(100))
  ),
  rules(
    'properties, absent',
    n => ({ type: 'object', properties: { [`p${n}`]: NUMBER } }),
    () => '{}'
  ),
  rules(
    'properties, absent, objects of many shapes',
    n => ({ type: 'object', properties: { [`p${n}`]: NUMBER } }),
    strange
  ),
  rules(
    'properties, present, objects of many shapes',
    () => ({ type: 'object', properties: { a: NUMBER } }),
    n => `{"${n.toString(36)}":0,"a":1}`
  ),
  five('required, absent', n => orElse({ type: 'object', required: [`p${n}`] }), strange),
  {
    name: 'required, ten present, objects of many shapes',
    largest: RULES,
    schema: count => ({
      type: 'array',
      items: {
        type: 'object',
        required: often(10, n => `p${n}`),
        allOf: often(count, () => ({ required: often(10, n => `p${n}`), type: 'object' }))
      }
    }),
    payload: () => array(n => `{"${n.toString(36)}":0,${full(10).slice(1)}`)
  },
  rules(
    'dependentRequired',
    n => ({ type: 'object', dependentRequired: { [`_${n}`]: ['a'] } }),
    strange
  ),
  five(
    'additionalProperties false, 8 names',
    () => closed(8),
    () => full(8)
  ),
  five(
    'additionalProperties false, 30 names',
    () => closed(30),
    () => full(30)
  ),
  rules(
    'additionalProperties false, empty objects',
    () => closed(1),
    () => '{}'
  ),
  items(
    'unevaluatedProperties false',
    {
      items: {
        type: 'object',
        anyOf: [{ properties: named(8, NUMBER) }, true],
        unevaluatedProperties: false
      }
    },
    () => full(8)
  ),
  wide(
    'additionalProperties false, too many keys',
    n => orElse({ type: 'object', properties: { [`_${n}`]: NUMBER }, additionalProperties: false }),
    () => object()
  ),
  wide(
    'maxProperties',
    n => ({ type: 'object', maxProperties: PAYLOAD_BYTES + n }),
    () => object()
  ),
  items(
    'failing branches, anyOf',
    { items: { anyOf: [{ type: 'string' }, { type: 'boolean' }, NUMBER] } },
    () => '1'
  ),
  items('failing branches, 20 of oneOf', { items: orElse(manyBranches('oneOf')) }, strange),
  items(
    'branches that a const distinguishes',
    {
      items: {
        anyOf: often(10, n => ({
          type: 'object',
          required: ['p'],
          properties: { p: { const: n } }
        }))
      }
    },
    n => `{"p":9,"${n.toString(36)}":0}`
  ),
  items('not', { items: { not: TEXT } }, () => '1'),
  items('if without else', { items: { if: TEXT, then: NUMBER } }, () => '1'),
  items('contains that never holds', { contains: TEXT }, () => '1'),
  items(
    'contains that counts',
    { contains: NUMBER, minContains: 1, maxContains: ITEMS },
    () => '1'
  ),
  items(
    '$ref',
    { items: { $ref: '#/$defs/a' }, $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: NUMBER } },
    () => '1'
  ),
  {
    name: '$ref to itself',
    largest: ITEMS,
    schema: maxItems => ({
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'array', maxItems, items: { $ref: '#' } } }
    }),
    payload: maxItems => fill('{"a":[', () => '{"a":[]}', ']}', maxItems)
  },
  items(
    'enum of 1,000 texts',
    { items: { enum: often(1_000, n => n.toString(36)) } },
    () => '"rr"'
  ),
  items(
    'enum of objects',
    { items: orElse({ enum: often(500, n => ({ a: n })) }) },
    () => '{"a":-1}'
  ),
  items(
    'enum of equal arrays',
    { items: orElse({ enum: often(20, n => [n, ...often(400, () => 0)]) }) },
    () => `[-1${',0'.repeat(400)}]`
  ),
  items('const, an object', { items: orElse({ const: { a: 1 } }) }, () => '{"a":0}'),
  items('uniqueItems, numbers', { uniqueItems: true, items: NUMBER }, n => `${n}.5`),
  items('uniqueItems, large numbers', { uniqueItems: true, items: NUMBER }, n =>
    String(4_294_967_290 + n)
  ),
  items('uniqueItems, texts', { uniqueItems: true, items: TEXT }, n => `"${n.toString(36)}"`),
  {
    name: 'uniqueItems, objects',
    largest: 2_000,
    schema: maxItems => ({ type: 'array', maxItems, uniqueItems: true }),
    payload: maxItems =>
      array(n => `[${n}${',0'.repeat(Math.floor(PAYLOAD_BYTES / maxItems / 2) - 10)}]`, maxItems)
  },
  keys('keys', { additionalProperties: NUMBER }),
  keys('keys with propertyNames', { propertyNames: { maxLength: 9 } }),
  keys('keys with 100 properties', {
    properties: named(100, NUMBER),
    additionalProperties: NUMBER
  }),
  keys('keys with 8 properties', { properties: named(8, NUMBER), additionalProperties: NUMBER }),
  keys('keys with a pattern', {
    propertyNames: { maxLength: 9 },
    patternProperties: { '^[0-9a-z]': NUMBER }
  }),
  keys('keys with four patterns', {
    propertyNames: { maxLength: 9 },
    patternProperties: ownRules(4, n => [`[0-9a-z]{${n}}$`, NUMBER])
  }),
  keys('propertyNames with a pattern', {
    propertyNames: { pattern: '^[0-9a-z]{1,9}$', maxLength: 9 }
  }),
  keys('propertyNames with an enum', {
    propertyNames: { not: { enum: often(500, n => `_${n}`) } }
  }),
  keys('unevaluatedProperties', { unevaluatedProperties: NUMBER }),
  keys('unevaluatedProperties after branches', {
    anyOf: [{ properties: named(10, NUMBER) }, true],
    unevaluatedProperties: NUMBER
  }),
  {
    name: 'keys as long as they may be, with a pattern',
    largest: 50_000,
    schema: maxProperties => ({
      type: 'object',
      maxProperties,
      propertyNames: { maxLength: 100 },
      patternProperties: { '[a-z]{9}!': NUMBER }
    }),
    payload: maxProperties =>
      fill('{', n => `"${n.toString(36).padStart(100, 'a')}":0`, '}', maxProperties)
  },
  pattern('of one class', '^[a-z]+$', 'a'),
  pattern('nested repeats', '^(a+)+$', 'a'),
  pattern('not anchored', '[a-z]+@[a-z]+[.]com', 'a'),
  pattern('counted', '(a?){60}a{60}', 'a'),
  pattern('many alternatives', often(80, n => `[a-z]{${n % 5}}a${n.toString(36)}`).join('|'), 'a'),
  pattern('letters of all scripts', String.raw`^\p{L}+$`, 'ä'),
  pattern('the largest that is accepted', '([a-m]|[k-z]){1,9}(x|y){240}', 'x'),
  pattern('beyond the first plane', '^[\u{1f600}-\u{1f64f}]+$', '\u{1f600}'),
  items(
    'a pattern on short texts',
    { items: { type: 'string', maxLength: 10, pattern: '^[a-z]*$' } },
    () => '""'
  ),
  items(
    'a format on short texts',
    { items: { type: 'string', maxLength: 40, format: 'date-time' } },
    () => '"2026-01-31T00:00:00Z"'
  ),
  items(
    'a format that fails on short texts',
    { items: orElse({ type: 'string', maxLength: 40, format: 'email' }) },
    () => '""'
  ),
  format('email', 'a.'),
  format('email', 'a@a.'),
  format('regex', '('),
  format('regex', '[a'),
  format('regex', 'a'),
  format('uri', 'a:/'),
  format('uri', 'a'),
  format('uri-reference', '%41'),
  format('uri-reference', '/'),
  format('uri-template', '{a}'),
  format('uri-template', '{a'),
  format('hostname', 'a.'),
  format('hostname', 'a'),
  format('ipv4', '1.'),
  format('ipv6', '1:'),
  format('ipv6', ':'),
  format('date-time', '2'),
  format('date-time', '2026-01-31T00:00:00.'),
  format('time', '0'),
  format('duration', '1'),
  format('duration', 'P1Y'),
  format('byte', 'AAAA'),
  format('byte', 'A'),
  format('json-pointer', '/'),
  format('json-pointer-uri-fragment', '#/'),
  format('relative-json-pointer', '1'),
  format('uuid', 'a'),
  format('iso-time', '0'),
  format('iso-date-time', '2')
]
