/**
 * The most work that a schema can make of one payload, counted before any payload comes: no clock, so the answer is the same everywhere.
 *
 * Each subschema has a profile of what its worst payloads cost, and those of its parts are added up. Bytes are what an attacker pays with:
 * an array of a million ones costs a million times what its items cost, unless `maxItems` bounds it; so do open objects (`maxProperties`)
 * and expensive texts (`maxLength`). The body's own limit of depth ends recursion: references that branch at each level grow beyond any
 * budget, the others do not.
 *
 * Units   steps: about a nanosecond each on the machine where the weights were measured, cold (internal/docs/decisions/0011). bytes: UTF-8.
 * Limit   an upper bound, not a forecast: what is admitted is cheap; what is refused may be so too.
 */
import { compilePattern } from './linear-pattern.js'
import { anchorsOf, isSchemaObject, resolveRef, type SchemaObject, type Subschema, subschemas } from './schema-tree.js'

export const BUDGET_STEPS = 50_000_000
const BODY_BYTES = 1_048_576
const BODY_DEPTH = 64

/** Whether a value that does not satisfy the subschema ends the check of the whole payload, or only of a branch. */
type Context = 'sure' | 'branch'
const SURE = new Set(['allOf', 'dependentSchemas', 'dependencies', 'then', 'else'])

/** Measured; see the decision page. */
const STEPS = {
  visit: 6,
  property: 10,
  /** Of `properties` that are too many to be compared one by one. */
  lookUp: 450,
  key: 350,
  keyName: 700,
  enumValue: 3,
  failedBranch: 120,
  failedItem: 220,
  reference: 110,
  evaluatedKey: 350,
  lengthChar: 4,
  call: 300,
  patternChar: 100,
  patternCharPerSize: 6,
  uniqueScalar: 750,
  countedKeyByte: 15,
  uniquePair: 250,
  equalByte: 15
}
const FORMAT_STEPS_PER_CHAR: Readonly<Record<string, number>> = { email: 200, regex: 600, uri: 35, 'uri-reference': 45, 'uri-template': 35 }
const OTHER_FORMAT_STEPS_PER_CHAR = 15
const CHEAP_FORMATS = new Set(['int32', 'int64', 'float', 'double', 'password', 'binary'])

/** The fewest bytes of a value in an array, and of a key with its value where keys must differ. */
const ITEM_BYTES = 2
const KEY_BYTES = 7

/** What values that meet a keyword cost, in steps. */
interface Cost {
  /** One of the smallest. */
  readonly base: number
  /** Each further byte of one. */
  readonly rate: number
  /** One that has all the bytes. */
  readonly worst: number
}

/** What values that meet a subschema cost: the sum of these. One that is bounded by itself is kept apart from one that is not. */
type Profile = readonly Cost[]

/** More are added up, which only makes the bound wider. */
const MAX_COSTS = 8
const FREE: Profile = []
const ENDLESS: Profile = [{ base: Infinity, rate: Infinity, worst: Infinity }]

export interface SchemaCost {
  readonly steps: number
  /** JSON pointer to the deepest subschema that is too expensive by itself; '' where there is none. */
  readonly pointer: string
}

export function costOf(root: SchemaObject): SchemaCost {
  const anchors = anchorsOf(root)
  const profiles = { sure: new Map<SchemaObject, (Profile | undefined)[]>(), branch: new Map<SchemaObject, (Profile | undefined)[]>() }
  const underWay = new Set<SchemaObject>()

  function profileOf(schema: SchemaObject, depth: number, context: Context): Profile {
    const known = profiles[context].get(schema) ?? []
    profiles[context].set(schema, known)
    const profile = known[depth]
    if (profile !== undefined) return profile
    // A schema that refers to itself at the same place never ends.
    if (underWay.has(schema)) return ENDLESS
    underWay.add(schema)
    const computed = computeProfile(schema, depth, context)
    underWay.delete(schema)
    known[depth] = computed
    return computed
  }

  /** Of a part of the value: on a level of its own, so the same schema may come again. */
  function below(schema: SchemaObject, depth: number, context: Context): Profile {
    if (depth === 0) return FREE
    const outer = [...underWay]
    underWay.clear()
    const profile = profileOf(schema, depth - 1, context)
    for (const one of outer) underWay.add(one)
    return profile
  }

  function computeProfile(schema: SchemaObject, depth: number, context: Context): Profile {
    const parts = subschemas(schema, '')
    const of = (...keywords: string[]): Subschema[] => parts.filter(({ keyword }) => keywords.includes(keyword))
    const here = (part: Subschema): Profile => profileOf(part.schema, depth, SURE.has(part.keyword) ? context : 'branch')
    const sum: Profile[] = [fixed(STEPS.visit), ownCost(schema)]
    sum.push(...of('allOf', 'not', 'if', 'then', 'else', 'dependentSchemas', 'dependencies').map(here))
    const branches = of('anyOf', 'oneOf')
    sum.push(...branches.map(here), fixed(branches.length * STEPS.failedBranch))
    const target = targetOf(schema)
    if (target !== null) sum.push(fixed(STEPS.reference), profileOf(target, depth, context))
    // A value has one type.
    sum.push(oneOf([textCost(schema), itemsCost(schema, parts, depth, context), keysCost(schema, parts, depth, context)]))
    return add(sum)
  }

  function targetOf({ $ref: ref }: SchemaObject): SchemaObject | null {
    const target = typeof ref === 'string' ? resolveRef(root, ref, anchors) : null
    return isSchemaObject(target) ? target : null
  }

  /** An item that lacks what it needs ends the check of its array at once, unless the array may fail: of the others there are fewer. */
  function bytesOf(item: SchemaObject, context: Context): number {
    if (context === 'branch') return ITEM_BYTES
    let at: SchemaObject | null = item
    for (let hops = 0; at !== null && hops < BODY_DEPTH; hops++) {
      const { type, required } = at
      if (type === 'object' && Array.isArray(required)) {
        return ITEM_BYTES + required.reduce((sum: number, name) => sum + String(name).length + '"":0,'.length, 1)
      }
      at = targetOf(at)
    }
    return ITEM_BYTES
  }

  function itemsCost(schema: SchemaObject, parts: readonly Subschema[], depth: number, context: Context): Profile {
    const maxItems = limit(schema, 'maxItems')
    const of = (keyword: string, extra: number): Profile =>
      together(
        parts
          .filter(part => part.keyword === keyword && (keyword !== 'items' || part.pointer === '/items'))
          .map(({ schema: item }) => {
            const inside = keyword === 'contains' ? 'branch' : context
            return repeated(below(item, depth, inside), extra, bytesOf(item, inside), maxItems)
          })
      )
    const tuple = parts.filter(({ keyword, pointer }) => keyword === 'prefixItems' || (keyword === 'items' && pointer !== '/items'))
    // Each item is met by one of these, and by `contains` too.
    const rest = [of('items', 0), of('additionalItems', 0), of('unevaluatedItems', STEPS.visit)]
    const costs = [together([...tuple.map(part => below(part.schema, depth, context)), ...rest]), of('contains', STEPS.failedItem)]
    if (schema['uniqueItems'] === true) costs.push(uniqueCost(schema, maxItems))
    return add(costs)
  }

  function keysCost(schema: SchemaObject, parts: readonly Subschema[], depth: number, context: Context): Profile {
    const names = isSchemaObject(schema['properties']) ? Object.keys(schema['properties']).length : 0
    const maxProperties = limit(schema, 'maxProperties')
    const tell = names > 8 ? STEPS.lookUp : names * STEPS.property
    const of = (keyword: string, extra: number): Profile => {
      const value = schema[keyword]
      // `false` ends the check at the first key that is one too many.
      return isSchemaObject(value) ? repeated(below(value, depth, context), STEPS.key + extra, KEY_BYTES, maxProperties) : FREE
    }
    const named = parts.filter(({ keyword }) => keyword === 'properties').map(part => below(part.schema, depth, context))
    // Each key is met by one of these, and by its name and all patterns too.
    const values = together([...named, of('additionalProperties', tell), of('unevaluatedProperties', tell + STEPS.evaluatedKey)])
    const costs = [fixed(names * STEPS.property), values, of('propertyNames', STEPS.keyName)]
    if (schema['maxProperties'] !== undefined || schema['minProperties'] !== undefined)
      costs.push(perByte(STEPS.visit, STEPS.countedKeyByte))
    for (const part of parts) {
      if (part.keyword === 'patternProperties') costs.push(repeated(below(part.schema, depth, context), 0, KEY_BYTES, maxProperties))
    }
    for (const pattern of isSchemaObject(schema['patternProperties']) ? Object.keys(schema['patternProperties']) : []) {
      // A key may be as long as the body, however few there are.
      costs.push(repeated(FREE, STEPS.key + STEPS.call, KEY_BYTES, maxProperties), perByte(0, patternSteps(pattern)))
    }
    return add(costs)
  }

  const worst = (schema: SchemaObject): number => total(profileOf(schema, BODY_DEPTH, 'sure')).worst

  /** Definitions cost where they are referred to, but it is there that the author must look. */
  function deepest(schema: SchemaObject, pointer: string): string | null {
    for (const part of subschemas(schema, pointer)) {
      const found = deepest(part.schema, part.pointer)
      if (found !== null) return found
    }
    return worst(schema) > BUDGET_STEPS ? pointer : null
  }

  const steps = worst(root)
  return { steps, pointer: steps > BUDGET_STEPS ? (deepest(root, '') ?? '') : '' }
}

/** What the keywords cost that hold no subschema and are for values of any type. */
function ownCost(schema: SchemaObject): Profile {
  const costs: Profile[] = []
  const { enum: values, const: value, required } = schema
  if (Array.isArray(values)) costs.push(fixed(values.length * STEPS.enumValue + JSON.stringify(values).length))
  if (value !== undefined) costs.push(fixed(STEPS.visit + JSON.stringify(value).length))
  if (Array.isArray(required)) costs.push(fixed(required.length * STEPS.property))
  for (const keyword of ['dependentRequired', 'dependencies']) {
    if (isSchemaObject(schema[keyword])) costs.push(fixed(JSON.stringify(schema[keyword]).length))
  }
  return add(costs)
}

function textCost(schema: SchemaObject): Profile {
  const { pattern, format } = schema
  const costs: Profile[] = []
  if (schema['maxLength'] !== undefined || schema['minLength'] !== undefined) costs.push(perByte(STEPS.visit, STEPS.lengthChar))
  const perChar =
    (typeof pattern === 'string' ? patternSteps(pattern) : 0) +
    (typeof format !== 'string' || CHEAP_FORMATS.has(format) ? 0 : (FORMAT_STEPS_PER_CHAR[format] ?? OTHER_FORMAT_STEPS_PER_CHAR))
  if (perChar > 0) {
    // `maxLength` is looked at first; it counts characters of up to two units.
    costs.push(perByte(STEPS.call, perChar, STEPS.call + 2 * limit(schema, 'maxLength') * perChar))
  }
  return add(costs)
}

function patternSteps(pattern: string): number {
  return STEPS.patternChar + STEPS.patternCharPerSize * compilePattern(pattern).size
}

const SCALARS = new Set(['string', 'number', 'integer', 'boolean', 'null'])

function uniqueCost(schema: SchemaObject, maxItems: number): Profile {
  const items = schema['items']
  const types = isSchemaObject(items) ? [items['type']].flat() : []
  if (types.length > 0 && types.every(type => SCALARS.has(String(type)))) return repeated(FREE, STEPS.uniqueScalar, ITEM_BYTES, maxItems)
  // Each item is compared with each other one, to the last byte if need be.
  const rate = (maxItems / 2) * (STEPS.equalByte + STEPS.uniquePair / ITEM_BYTES)
  return perByte(0, rate, (maxItems / 2) * (STEPS.equalByte * BODY_BYTES + maxItems * STEPS.uniquePair))
}

function limit(schema: SchemaObject, keyword: string): number {
  const value = schema[keyword]
  return typeof value === 'number' ? value : Infinity
}

function fixed(steps: number): Profile {
  return steps === 0 ? FREE : [{ base: steps, rate: 0, worst: steps }]
}

function perByte(base: number, rate: number, most = Infinity): Profile {
  return [{ base, rate, worst: Math.min(most, base + rate * BODY_BYTES) }]
}

function total(costs: Profile): Cost {
  let sum: Cost = { base: 0, rate: 0, worst: 0 }
  for (const { base, rate, worst } of costs) sum = { base: sum.base + base, rate: sum.rate + rate, worst: sum.worst + worst }
  return sum
}

/** Keywords that look at the same value. */
function add(profiles: readonly Profile[]): Profile {
  const costs = profiles.flat().toSorted((a, b) => a.rate - b.rate)
  return costs.length <= MAX_COSTS ? costs : [...costs.slice(1 - MAX_COSTS), total(costs.slice(0, 1 - MAX_COSTS))]
}

/** Keywords of which only one can meet a value. */
function oneOf(profiles: readonly Profile[]): Profile {
  const longest = Math.max(...profiles.map(({ length }) => length))
  return Array.from({ length: longest }, (_, index) => {
    const most = (of: (cost: Cost) => number): number =>
      Math.max(0, ...profiles.flatMap(profile => profile.slice(index, index + 1).map(of)))
    return { base: most(({ base }) => base), rate: most(({ rate }) => rate), worst: most(({ worst }) => worst) }
  })
}

/** Parts of one value that share its bytes. */
function together(profiles: readonly Profile[]): Profile {
  const totals = profiles.map(total)
  const { base, worst } = total(totals)
  const rate = Math.max(0, ...totals.map(cost => cost.rate))
  return worst === 0 ? FREE : [{ base, rate, worst: Math.min(worst, base + rate * BODY_BYTES) }]
}

/** As many parts of a value as its bytes allow, or `most`: small ones, or large ones, never both. */
function repeated(profile: Profile, extra: number, bytesEach: number, most: number): Profile {
  if (most === 0) return FREE
  const all = [...profile, ...fixed(extra)]
  const { base, rate } = total(all)
  const dense = Math.max(base / bytesEach, rate)
  const apart = all.map(cost =>
    Math.min(
      times(most, cost.worst),
      Math.max(cost.base / bytesEach, cost.rate) * BODY_BYTES,
      times(most, cost.base) + cost.rate * BODY_BYTES
    )
  )
  const worst = apart.reduce((sum, steps) => sum + steps, 0)
  return [{ base: 0, rate: dense, worst: Math.min(worst, dense * BODY_BYTES) }]
}

/** Nothing is nothing, however often. */
function times(often: number, steps: number): number {
  return steps === 0 ? 0 : often * steps
}
