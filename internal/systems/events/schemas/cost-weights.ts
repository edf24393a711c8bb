/**
 * The cost of each keyword by itself, without its subschemas.
 *
 * Units   steps: about a nanosecond each where they were measured, cold and with the
 *         worst payload found (internal/docs/decisions/0011). To measure again:
 *         `npm run bench -- --schema-cost`.
 */
import { add, BODY_BYTES, FREE, fixed, type Profile, perByte, repeated } from './cost-profile.js'
import { compilePattern } from './linear-pattern.js'
import { isSchemaObject, type SchemaObject } from './schema-tree.js'

export const STEPS = {
  visit: 6,
  /** Comparing a key of an object with one name of `properties`. */
  nameCompared: 10,
  /** Looking up a key in `properties` that are too many to compare one by one. */
  lookUp: 450,
  key: 350,
  /** A key that `properties` names: such objects are small. */
  knownKey: 100,
  keyName: 700,
  evaluatedKey: 350,
  failedBranch: 400,
  failedItem: 350,
  reference: 150,
  call: 300
}
const VALUE = { scalar: 6, multipleOf: 300, lengthChar: 4 }
/**
 * Looking for a property by its name: expensive if each object has other keys, which take
 * more bytes than an object without keys.
 */
const PROPERTY = { least: 4, most: 110, perByte: 15 }
/** The same if objects with any other key have been refused before. */
const CLOSED_PROPERTY = { least: 4, most: 25, perByte: 3 }
/** Listing an object's own keys, however soon the walk ends; and counting them. */
const OWN_KEYS = { base: 40, perByte: 34, perKey: 180, countedPerByte: 34 }
const PATTERN = { perChar: 100, perCharPerSize: 6 }
const UNIQUE = { scalar: 1_300, pair: 250 }
const EQUAL_BYTE = 15
const FORMAT_PER_CHAR: Readonly<Record<string, number>> = {
  email: 200,
  regex: 600,
  uri: 35,
  'uri-reference': 45,
  'uri-template': 35
}
const OTHER_FORMAT_PER_CHAR = 15
const CHEAP_FORMATS = new Set(['int32', 'int64', 'float', 'double', 'password', 'binary'])

/**
 * The fewest bytes, comma included, of an item of an array, of an item that is not a
 * number, and of a key with its value among keys that differ.
 */
export const ITEM_BYTES = 2
export const LONGER_ITEM_BYTES = 3
export const KEY_BYTES = 7

export function limit(schema: SchemaObject, keyword: string): number {
  const value = schema[keyword]
  return typeof value === 'number' ? value : Infinity
}

/** The cost of the keywords for values of any type, and of those for numbers. */
export function valueCost(schema: SchemaObject): Profile {
  const costs: Profile[] = []
  const { enum: values, const: value, multipleOf } = schema
  if (Array.isArray(values))
    costs.push(fixed(values.reduce((sum: number, one: unknown) => sum + compareSteps(one), 0)))
  if (value !== undefined) costs.push(fixed(STEPS.visit + compareSteps(value)))
  if (multipleOf !== undefined) costs.push(fixed(VALUE.multipleOf))
  return add(costs)
}

/** Objects and arrays are compared part by part. */
function compareSteps(value: unknown): number {
  const length = JSON.stringify(value).length
  return typeof value === 'object' && value !== null ? EQUAL_BYTE * length : VALUE.scalar + length
}

/** The cost of the keywords that look for properties by name. */
export function namesCost(schema: SchemaObject): Profile {
  const {
    properties,
    required,
    dependentRequired,
    dependencies,
    additionalProperties,
    patternProperties
  } = schema
  let needed = Array.isArray(required) ? required.length : 0
  for (const named of [dependentRequired, dependencies]) {
    if (isSchemaObject(named))
      for (const names of Object.values(named))
        needed += 1 + (Array.isArray(names) ? names.length : 0)
  }
  const isClosed = additionalProperties === false && patternProperties === undefined
  const known = isSchemaObject(properties) ? Object.keys(properties).length : 0
  return add([lookUps(needed, PROPERTY), lookUps(known, isClosed ? CLOSED_PROPERTY : PROPERTY)])
}

function lookUps(names: number, { least, most, perByte: rate }: typeof PROPERTY): Profile {
  return names === 0 ? FREE : perByte(names * least, names * rate, names * most)
}

/** The cost of a keyword that walks over the keys of an object, at most `maxKeys`. */
export function listKeysCost(maxKeys: number): Profile {
  return perByte(OWN_KEYS.base, OWN_KEYS.perByte, OWN_KEYS.base + maxKeys * OWN_KEYS.perKey)
}

/** The cost of `maxProperties` or `minProperties`. */
export function countKeysCost(maxKeys: number): Profile {
  return perByte(OWN_KEYS.base, OWN_KEYS.countedPerByte, OWN_KEYS.base + maxKeys * OWN_KEYS.perKey)
}

export function textCost(schema: SchemaObject): Profile {
  const { pattern, format } = schema
  const costs: Profile[] = []
  if (schema['maxLength'] !== undefined || schema['minLength'] !== undefined)
    costs.push(perByte(STEPS.visit, VALUE.lengthChar))
  const perChar = (typeof pattern === 'string' ? patternSteps(pattern) : 0) + formatSteps(format)
  if (perChar > 0) {
    // `maxLength` is checked first; it counts characters of up to two units.
    costs.push(perByte(STEPS.call, perChar, STEPS.call + 2 * limit(schema, 'maxLength') * perChar))
  }
  return add(costs)
}

export function patternSteps(pattern: string): number {
  return PATTERN.perChar + PATTERN.perCharPerSize * compilePattern(pattern).size
}

function formatSteps(format: unknown): number {
  if (typeof format !== 'string' || CHEAP_FORMATS.has(format)) return 0
  return FORMAT_PER_CHAR[format] ?? OTHER_FORMAT_PER_CHAR
}

const SCALARS = new Set(['string', 'number', 'integer', 'boolean', 'null'])

export function uniqueCost(schema: SchemaObject, maxItems: number): Profile {
  const items = schema['items']
  const types = isSchemaObject(items) ? [items['type']].flat() : []
  if (types.length > 0 && types.every(type => SCALARS.has(String(type))))
    return repeated(FREE, UNIQUE.scalar, ITEM_BYTES, maxItems)
  // Each item is compared with every other, in the worst case to its last byte.
  const rate = (maxItems / 2) * (EQUAL_BYTE + UNIQUE.pair / ITEM_BYTES)
  return perByte(0, rate, (maxItems / 2) * (EQUAL_BYTE * BODY_BYTES + maxItems * UNIQUE.pair))
}
