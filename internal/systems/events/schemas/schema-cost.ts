/**
 * The most work that one payload can cause with a schema, computed from the schema alone
 * and without a clock, so that the result is the same everywhere.
 *
 * Each subschema has a profile of what its worst payloads cost; the profiles of its parts
 * are added up. An attacker can use all bytes of a body: an array of a million ones costs
 * a million times what one item costs, unless `maxItems` bounds it. The same holds for
 * open objects (`maxProperties`) and expensive texts (`maxLength`). The depth limit of
 * the body ends recursion: references that branch at each level exceed any budget, the
 * others do not.
 *
 * The result is an upper bound, not a forecast: admitted schemas are cheap, and refused
 * ones may be cheap too.
 *
 * Units   steps: about a nanosecond each where the weights were measured
 *         (cost-weights.ts). bytes: UTF-8.
 */
import {
  add,
  ENDLESS,
  FREE,
  fixed,
  oneOf,
  type Profile,
  perByte,
  repeated,
  together,
  worstOf
} from './cost-profile.js'
import {
  countKeysCost,
  ITEM_BYTES,
  KEY_BYTES,
  LONGER_ITEM_BYTES,
  limit,
  listKeysCost,
  namesCost,
  patternSteps,
  STEPS,
  textCost,
  uniqueCost,
  valueCost
} from './cost-weights.js'
import {
  anchorsOf,
  isSchemaObject,
  resolveRef,
  type SchemaObject,
  type Subschema,
  subschemas
} from './schema-tree.js'

export const BUDGET_STEPS = 50_000_000
const BODY_DEPTH = 64

/** Where a value is checked against a subschema. */
interface Place {
  /** Levels that the payload may still have below it. */
  readonly depth: number
  /**
   * True if a violation here ends the check of the whole payload, not only of a branch.
   */
  readonly isSure: boolean
  /**
   * The most own keys that a value can have here, after the earlier parts of an `allOf`.
   */
  readonly maxKeys: number
}

const SURE = new Set(['allOf', 'dependentSchemas', 'dependencies', 'then', 'else'])

const IN_PLACE = new Set([...SURE, 'anyOf', 'oneOf', 'if'])

export interface SchemaCost {
  readonly steps: number
  /**
   * JSON pointer to the deepest subschema that is too expensive by itself; '' if none is.
   */
  readonly pointer: string
}

export function costOf(root: SchemaObject): SchemaCost {
  const anchors = anchorsOf(root)
  const profiles = new Map<SchemaObject, Map<string, Profile>>()
  const underWay = new Set<SchemaObject>()

  function profileOf(schema: SchemaObject, place: Place): Profile {
    const known = profiles.get(schema) ?? new Map<string, Profile>()
    profiles.set(schema, known)
    const key = `${place.depth} ${place.isSure} ${place.maxKeys}`
    const profile = known.get(key)
    if (profile !== undefined) return profile
    // A schema that refers to itself for the same value never ends.
    if (underWay.has(schema)) return ENDLESS
    underWay.add(schema)
    const computed = computeProfile(schema, place)
    underWay.delete(schema)
    known.set(key, computed)
    return computed
  }

  /** For a part of the value, one level deeper, so that the same schema may recur. */
  function below(schema: SchemaObject, { depth, isSure }: Place): Profile {
    if (depth === 0) return FREE
    const outer = [...underWay]
    underWay.clear()
    const profile = profileOf(schema, { depth: depth - 1, isSure, maxKeys: Infinity })
    for (const one of outer) underWay.add(one)
    return profile
  }

  function computeProfile(schema: SchemaObject, place: Place): Profile {
    const parts = subschemas(schema, '')
    const of = (...keywords: string[]): Subschema[] =>
      parts.filter(({ keyword }) => keywords.includes(keyword))
    const here = (part: Subschema): Profile =>
      profileOf(part.schema, { ...place, isSure: place.isSure && SURE.has(part.keyword) })
    const sum: Profile[] = [fixed(STEPS.visit), valueCost(schema), allOfCost(of('allOf'), place)]
    sum.push(...of('not', 'if', 'then', 'else', 'dependentSchemas', 'dependencies').map(here))
    const branches = of('anyOf', 'oneOf')
    sum.push(...branches.map(here), fixed(branches.length * STEPS.failedBranch))
    const target = targetOf(schema)
    if (target !== null) sum.push(fixed(STEPS.reference), profileOf(target, place))
    // A value has one type.
    sum.push(
      oneOf([textCost(schema), itemsCost(schema, parts, place), keysCost(schema, parts, place)])
    )
    return add(sum)
  }

  /** The parts are checked in order, and a violation ends the check. */
  function allOfCost(parts: readonly Subschema[], place: Place): Profile {
    let { maxKeys } = place
    const profiles: Profile[] = []
    for (const { schema } of parts) {
      profiles.push(profileOf(schema, { ...place, maxKeys }))
      maxKeys = Math.min(maxKeys, keysLeftBy(schema))
    }
    return add(profiles)
  }

  function targetOf({ $ref: ref }: SchemaObject): SchemaObject | null {
    const target = typeof ref === 'string' ? resolveRef(root, ref, anchors) : null
    return isSchemaObject(target) ? target : null
  }

  /** How many keys keywords allow by name; Infinity if one allows them in another way. */
  function allowedKeys(schema: SchemaObject, seen: Set<SchemaObject>): number {
    if (seen.has(schema)) return 0
    seen.add(schema)
    const { properties, patternProperties, additionalProperties } = schema
    if (
      isSchemaObject(patternProperties) ||
      (additionalProperties !== undefined && additionalProperties !== false)
    )
      return Infinity
    const target = targetOf(schema)
    const inPlace = subschemas(schema, '').filter(({ keyword }) => IN_PLACE.has(keyword))
    const others = [...inPlace.map(part => part.schema), ...(target === null ? [] : [target])]
    const own = isSchemaObject(properties) ? Object.keys(properties).length : 0
    return others.reduce((sum, other) => sum + allowedKeys(other, seen), own)
  }

  /**
   * The fewest bytes of an item. Where a violation ends the check of the payload, only
   * one item can lack its required properties; all others are at least as long as those.
   */
  function bytesOf(item: SchemaObject, { isSure }: Place): number {
    let at: SchemaObject | null = item
    let bytes = ITEM_BYTES
    for (let hops = 0; at !== null && hops < BODY_DEPTH; hops++) {
      const { type, required } = at
      if (type === 'object' && isSure && Array.isArray(required)) {
        return (
          ITEM_BYTES +
          required.reduce((sum: number, name) => sum + String(name).length + '"":0,'.length, 1)
        )
      }
      if (type === 'object' || type === 'array' || type === 'string') bytes = LONGER_ITEM_BYTES
      at = targetOf(at)
    }
    return bytes
  }

  function itemsCost(schema: SchemaObject, parts: readonly Subschema[], place: Place): Profile {
    const maxItems = limit(schema, 'maxItems')
    const of = (keyword: string, extra: number): Profile =>
      together(
        parts
          .filter(
            part => part.keyword === keyword && (keyword !== 'items' || part.pointer === '/items')
          )
          .map(({ schema: item }) => {
            const inside = { ...place, isSure: place.isSure && keyword !== 'contains' }
            return repeated(below(item, inside), extra, bytesOf(item, inside), maxItems)
          })
      )
    const tuple = parts.filter(
      ({ keyword, pointer }) =>
        keyword === 'prefixItems' || (keyword === 'items' && pointer !== '/items')
    )
    // One of these checks each item, and `contains` does so too.
    const each = [
      ...tuple.map(part => below(part.schema, place)),
      of('items', 0),
      of('additionalItems', 0)
    ]
    const costs = [together(each), of('contains', STEPS.failedItem)]
    if (schema['uniqueItems'] === true) costs.push(uniqueCost(schema, maxItems))
    return add(costs)
  }

  function keysCost(schema: SchemaObject, parts: readonly Subschema[], place: Place): Profile {
    const names = isSchemaObject(schema['properties'])
      ? Object.keys(schema['properties']).length
      : 0
    const patterns = isSchemaObject(schema['patternProperties'])
      ? Object.keys(schema['patternProperties'])
      : []
    const maxKeys = Math.min(place.maxKeys, limit(schema, 'maxProperties'))
    const nameCheck = names > 8 ? STEPS.lookUp : names * STEPS.nameCompared
    const known = (keyword: string): number =>
      keyword === 'unevaluatedProperties'
        ? allowedKeys(schema, new Set())
        : patterns.length > 0
          ? Infinity
          : names
    const of = (keyword: string, extra: number): Profile => {
      const value = schema[keyword]
      // `false` ends the walk at the first key that is not allowed.
      if (value === false)
        return repeated(
          FREE,
          STEPS.knownKey * (1 + names / 20),
          KEY_BYTES,
          Math.min(maxKeys, known(keyword))
        )
      return isSchemaObject(value)
        ? repeated(below(value, place), STEPS.key + extra, KEY_BYTES, maxKeys)
        : FREE
    }
    const under = (keyword: string): readonly Profile[] =>
      parts.filter(part => part.keyword === keyword).map(part => below(part.schema, place))
    const walks = [
      'additionalProperties',
      'unevaluatedProperties',
      'propertyNames',
      'patternProperties'
    ].filter(keyword => schema[keyword] !== undefined && schema[keyword] !== true)
    const isCounted = schema['maxProperties'] !== undefined || schema['minProperties'] !== undefined
    const lists = [
      ...(isCounted ? [countKeysCost(place.maxKeys)] : []),
      ...walks.map(() => listKeysCost(maxKeys))
    ]
    // Each byte belongs to one key or value, and one of these checks each key.
    const values = together([
      add([namesCost(schema), ...lists]),
      ...under('properties'),
      of('additionalProperties', nameCheck),
      of('unevaluatedProperties', nameCheck + STEPS.evaluatedKey)
    ])
    const costs = [values, of('propertyNames', STEPS.keyName)]
    costs.push(...under('patternProperties').map(value => repeated(value, 0, KEY_BYTES, maxKeys)))
    // Names are checked before patterns, and one that is too long ends the walk.
    const { propertyNames } = schema
    const keyChars =
      2 * (isSchemaObject(propertyNames) ? limit(propertyNames, 'maxLength') : Infinity) * maxKeys
    for (const steps of patterns.map(patternSteps)) {
      costs.push(
        repeated(FREE, STEPS.key + STEPS.call, KEY_BYTES, maxKeys),
        perByte(0, steps, keyChars * steps)
      )
    }
    return add(costs)
  }

  const worst = (schema: SchemaObject): number =>
    worstOf(profileOf(schema, { depth: BODY_DEPTH, isSure: true, maxKeys: Infinity }))

  /**
   * Definitions are searched too: their cost counts where they are referred to, but the
   * author must bound them here.
   */
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

/** The most own keys that a value can have if it satisfies the schema. */
function keysLeftBy(schema: SchemaObject): number {
  const { properties, patternProperties, additionalProperties } = schema
  const isClosed = additionalProperties === false && patternProperties === undefined
  return Math.min(
    limit(schema, 'maxProperties'),
    isClosed ? Object.keys(properties ?? {}).length : Infinity
  )
}
