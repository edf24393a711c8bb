/**
 * Decides whether a schema may be registered. Schemas are as untrusted as events: one
 * that could stall a worker is refused, with its place and the reason.
 *
 * The checks, in this order: size · JSON · depth · number of subschemas · references ·
 * patterns · compilation · the worst cost of one payload (schema-cost.ts). The first four
 * also bound the time of compiling.
 *
 * Errors  never throws.
 */
import { compilePattern, PatternError } from './linear-pattern.js'
import { type CompiledSchema, compileSchema } from './schema-compiler.js'
import { BUDGET_STEPS, costOf } from './schema-cost.js'
import {
  allSubschemas,
  anchorsOf,
  escape,
  isSchemaObject,
  resolveRef,
  type SchemaObject
} from './schema-tree.js'

export const SCHEMA_LIMITS = {
  bytes: 65_536,
  depth: 32,
  subschemas: 500,
  enumValues: 1_000
} as const

export interface SchemaRefused {
  readonly kind: 'refused'
  /** JSON pointer into the schema; '' is the schema itself. */
  readonly pointer: string
  /** A sentence for the schema's author. */
  readonly message: string
}

export type SchemaAdmission =
  | { readonly kind: 'admitted'; readonly check: CompiledSchema['check'] }
  | SchemaRefused

export function admitSchema(text: string): SchemaAdmission {
  const bytes = Buffer.byteLength(text)
  if (bytes > SCHEMA_LIMITS.bytes)
    return refuse('', `the schema has ${bytes} bytes: at most ${SCHEMA_LIMITS.bytes} are allowed`)
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch {
    return refuse('', 'the schema is not JSON')
  }
  const refused = findRefusal(schema)
  if (refused !== null) return refused
  const outcome = compileSchema(schema)
  if (outcome.kind === 'problem') return refuse(outcome.pointer, outcome.message)
  return findTooExpensive(schema) ?? { kind: 'admitted', check: outcome.check }
}

/**
 * Why registration would now refuse a schema that compiles; null if it would be admitted.
 */
export function findObjection(schema: unknown): SchemaRefused | null {
  return findRefusal(schema) ?? findTooExpensive(schema)
}

function findTooExpensive(schema: unknown): SchemaRefused | null {
  if (!isSchemaObject(schema)) return null
  const { steps, pointer } = costOf(schema)
  // Written this way, NaN is refused too.
  return steps <= BUDGET_STEPS ? null : refuse(pointer, tooExpensive(steps))
}

function tooExpensive(steps: number): string {
  const many = Number.isFinite(steps)
    ? `${Math.ceil(steps / BUDGET_STEPS)} times as long as allowed`
    : 'without end'
  return (
    `a payload of 1 MiB could keep this schema busy ${many}: add bounds below this place: ` +
    'maxItems to arrays, maxProperties to open objects (before branches: in the first part ' +
    'of an allOf), maxLength to texts with a pattern or a format, and to unique items a type ' +
    'other than object or array'
  )
}

/** The refusals that come before compiling, whether the schema compiles or not. */
export function findRefusal(root: unknown): SchemaRefused | null {
  const tooDeep = findTooDeep(root, '', SCHEMA_LIMITS.depth)
  if (tooDeep !== null)
    return refuse(tooDeep, `the schema is nested more than ${SCHEMA_LIMITS.depth} levels deep`)
  if (!isSchemaObject(root)) return null
  const refs: { readonly ref: string; readonly pointer: string }[] = []
  let count = 0
  for (const { schema, pointer } of allSubschemas(root)) {
    count += 1
    if (count > SCHEMA_LIMITS.subschemas)
      return refuse('', `the schema has more than ${SCHEMA_LIMITS.subschemas} subschemas`)
    if (pointer !== '' && schema['$id'] !== undefined)
      return refuse(`${pointer}/$id`, 'only the whole schema may have an $id')
    for (const keyword of ['$dynamicRef', '$dynamicAnchor']) {
      if (schema[keyword] !== undefined)
        return refuse(`${pointer}/${keyword}`, `${keyword} is not supported: use $ref`)
    }
    const unclear = findUnclear(schema, root)
    if (unclear !== null) return refuse(`${pointer}/${unclear[0]}`, unclear[1])
    const { $ref: ref, pattern, patternProperties, enum: values } = schema
    if (typeof ref === 'string') refs.push({ ref, pointer: `${pointer}/$ref` })
    if (Array.isArray(values) && values.length > SCHEMA_LIMITS.enumValues) {
      return refuse(
        `${pointer}/enum`,
        `the enum has ${values.length} values: at most ${SCHEMA_LIMITS.enumValues} are allowed`
      )
    }
    const patterns = isSchemaObject(patternProperties) ? Object.keys(patternProperties) : []
    const all = patterns.map((one): readonly [string, string] => [
      one,
      `${pointer}/patternProperties/${escape(one)}`
    ])
    if (typeof pattern === 'string') all.push([pattern, `${pointer}/pattern`])
    for (const [one, at] of all) {
      const message = problemOf(one)
      if (message !== null) return refuse(at, message)
    }
  }
  const anchors = anchorsOf(root)
  const lost = refs.find(({ ref }) => resolveRef(root, ref, anchors) === null)
  return lost
    ? refuse(lost.pointer, '$ref must lead to a place within the schema: #, #/… or #anchor')
    : null
}

const ANNOTATIONS = new Set([
  '$ref',
  '$id',
  '$schema',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'definitions',
  '$defs'
])

/** Finds a keyword that the standard and the validator read differently. */
function findUnclear(
  schema: SchemaObject,
  root: SchemaObject
): readonly [keyword: string, message: string] | null {
  const isDraft07 = String(root['$schema']).includes('draft-07')
  const sibling = Object.keys(schema).find(keyword => !ANNOTATIONS.has(keyword))
  if (isDraft07 && schema['$ref'] !== undefined && sibling !== undefined) {
    return [
      sibling,
      'draft-07 ignores keywords next to $ref: put the $ref into allOf, or use 2020-12'
    ]
  }
  if (isSchemaObject(schema['properties']) && Object.hasOwn(schema['properties'], '__proto__')) {
    return ['properties', 'the property __proto__ is not supported']
  }
  if (schema['unevaluatedItems'] !== undefined)
    return ['unevaluatedItems', 'unevaluatedItems is not supported: use items']
  if (
    schema['unevaluatedProperties'] !== undefined &&
    schema['if'] !== undefined &&
    schema['then'] === undefined
  ) {
    return ['if', 'with unevaluatedProperties, an if needs a then: write "then": true']
  }
  return null
}

function problemOf(pattern: string): string | null {
  try {
    compilePattern(pattern)
    return null
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

/** The pointer to the first object or array that is nested too deep, or null. */
function findTooDeep(value: unknown, pointer: string, levels: number): string | null {
  if (typeof value !== 'object' || value === null) return null
  if (levels === 0) return pointer
  for (const [key, child] of Object.entries(value)) {
    const found = findTooDeep(child, `${pointer}/${escape(key)}`, levels - 1)
    if (found !== null) return found
  }
  return null
}

function refuse(pointer: string, message: string): SchemaRefused {
  return { kind: 'refused', pointer, message }
}
