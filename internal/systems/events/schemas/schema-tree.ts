/**
 * A schema as a tree of subschemas: the keyword that holds each, and its pointer.
 *
 * Drafts 07 and 2020-12 are read alike: the compiler refuses keywords that the dialect
 * does not have. A value that should be a schema but is not is skipped.
 */
export type SchemaObject = Readonly<Record<string, unknown>>

export interface Subschema {
  readonly keyword: string
  readonly schema: SchemaObject
  readonly pointer: string
}

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const ONE = new Set([
  'additionalItems',
  'additionalProperties',
  'contains',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties'
])
const LIST = new Set(['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems'])
const BY_NAME = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties'
])

export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The subschemas directly below. Boolean ones cost nothing and are left out. */
export function subschemas(schema: SchemaObject, pointer: string): readonly Subschema[] {
  const found: Subschema[] = []
  const add = (keyword: string, value: unknown, at: string): void => {
    if (isSchemaObject(value)) found.push({ keyword, schema: value, pointer: at })
  }
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${pointer}/${escape(keyword)}`
    if (Array.isArray(value)) {
      if (LIST.has(keyword))
        for (const [index, item] of value.entries()) add(keyword, item, `${at}/${index}`)
    } else if (isSchemaObject(value) && BY_NAME.has(keyword)) {
      for (const [name, item] of Object.entries(value)) add(keyword, item, `${at}/${escape(name)}`)
    } else if (ONE.has(keyword)) add(keyword, value, at)
  }
  return found
}

/** Every subschema, the whole schema (pointer '') included. */
export function* allSubschemas(root: SchemaObject): Iterable<Omit<Subschema, 'keyword'>> {
  const waiting: Omit<Subschema, 'keyword'>[] = [{ schema: root, pointer: '' }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next
    waiting.push(...subschemas(next.schema, next.pointer))
  }
}

/** The subschemas that a `$ref` may name by `$anchor`. */
export function anchorsOf(root: SchemaObject): ReadonlyMap<string, SchemaObject> {
  const anchors = new Map<string, SchemaObject>()
  for (const { schema } of allSubschemas(root))
    if (typeof schema['$anchor'] === 'string') anchors.set(schema['$anchor'], schema)
  return anchors
}

/** The target of a `$ref` within the schema: `#`, a JSON pointer, or an anchor. */
export function resolveRef(
  root: SchemaObject,
  ref: string,
  anchors: ReadonlyMap<string, SchemaObject>
): SchemaObject | boolean | null {
  if (ref === '#') return root
  if (!ref.startsWith('#')) return null
  const fragment = decode(ref.slice(1))
  if (!fragment.startsWith('/')) return anchors.get(fragment) ?? null
  let at: unknown = root
  for (const part of fragment.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return null
    at = (at as Record<string, unknown>)[key]
  }
  return isSchemaObject(at) || typeof at === 'boolean' ? at : null
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}

export function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
