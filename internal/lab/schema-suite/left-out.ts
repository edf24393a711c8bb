/**
 * All tests of the official suite that do not pass here, by topic, each with its reason.
 * The decision page shows the same list.
 *
 * `concerns` looks only at the schema's text, not at the code that refuses it, so a
 * refusal that spreads to other schemas is not covered.
 */
import type { SuiteTest } from './suite-files.js'

export interface LeftOut {
  /** What the tests have in common. */
  readonly what: string
  /** What happens here, and why it misleads nobody. */
  readonly here: string
  readonly concerns: (schema: unknown, test: SuiteTest) => boolean
  /**
   * How the message that refuses such a schema begins; null if the schema is accepted and
   * refuses the payload.
   */
  readonly refusal: string | null
}

export const LEFT_OUT: readonly LeftOut[] = [
  {
    what: 'a reference to another document, to a meta-schema, or by a name that `$id` gives',
    here: 'refused: schemas are self-contained, `$ref` is `#`, `#/…` or `#anchor`',
    concerns: schema =>
      somewhere(schema, ({ $ref: ref }) => typeof ref === 'string' && !ref.startsWith('#')),
    refusal: '$ref must lead to a place within the schema'
  },
  {
    what: 'an `$id` below the top',
    here: 'refused: a schema is one document with one name',
    concerns: schema => below(schema, ({ $id: id }) => id !== undefined),
    refusal: 'only the whole schema may have an $id'
  },
  {
    what: '`$dynamicRef`, `$dynamicAnchor`',
    here: 'refused: their target depends on the path that led there and is known only at run time; use `$ref`',
    concerns: schema =>
      somewhere(
        schema,
        one => one['$dynamicRef'] !== undefined || one['$dynamicAnchor'] !== undefined
      ),
    refusal: '$dynamic'
  },
  {
    what: 'a custom meta-schema in `$schema` (vocabularies)',
    here: 'refused: draft-07 or 2020-12, nothing else',
    concerns: schema =>
      isObject(schema) &&
      '$schema' in schema &&
      !/draft-07|draft\/2020-12/.test(String(schema['$schema'])),
    refusal: '$schema names neither draft-07 nor 2020-12'
  },
  {
    what: '`unevaluatedItems`',
    here: 'refused: ajv differs from the standard with `contains` and nested items; use `items`',
    concerns: schema => somewhere(schema, one => one['unevaluatedItems'] !== undefined),
    refusal: 'unevaluatedItems is not supported'
  },
  {
    what: '`unevaluatedProperties` with an `if` without `then`',
    here: 'refused: ajv differs from the standard; `"then": true` means the same, and passes',
    concerns: schema =>
      somewhere(
        schema,
        one =>
          one['unevaluatedProperties'] !== undefined && one['if'] !== undefined && !('then' in one)
      ),
    refusal: 'with unevaluatedProperties, an if needs a then'
  },
  {
    what: 'a property named `__proto__` in `properties`',
    here: 'refused: ajv does not see it',
    concerns: schema =>
      somewhere(
        schema,
        one => isObject(one['properties']) && Object.hasOwn(one['properties'], '__proto__')
      ),
    refusal: 'the property __proto__ is not supported'
  },
  {
    what: 'draft-07: keywords next to `$ref`',
    here: 'refused: the draft ignores them, which no author expects; 2020-12 has no such rule',
    concerns: schema =>
      isObject(schema) &&
      isDraft07(schema) &&
      somewhere(schema, one => one['$ref'] !== undefined && hasRuleBesideRef(one)),
    refusal: 'draft-07 ignores keywords next to $ref'
  },
  {
    what: 'a text that violates its `format` but should pass because formats are annotations',
    here: 'the event is refused: an author who writes a format means it, and both drafts leave the choice to us',
    concerns: (schema, { data, valid }) =>
      valid && typeof data === 'string' && somewhere(schema, ({ format }) => isKnownFormat(format)),
    refusal: null
  }
]

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const VALUES = new Set(['const', 'enum'])

/**
 * True of any object in the text, whether it is a schema or not; values of `const` and
 * `enum` are skipped.
 */
function somewhere(value: unknown, holds: (one: JsonObject) => boolean): boolean {
  return (isObject(value) && holds(value)) || below(value, holds)
}

function below(value: unknown, holds: (one: JsonObject) => boolean): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).some(([key, one]) => !VALUES.has(key) && somewhere(one, holds))
  )
}

function isDraft07(schema: JsonObject): boolean {
  return String(schema['$schema']).includes('draft-07')
}

const ANNOTATIONS = new Set([
  '$ref',
  '$schema',
  '$id',
  '$comment',
  'definitions',
  'description',
  'title'
])

function hasRuleBesideRef(schema: JsonObject): boolean {
  return Object.keys(schema).some(keyword => !ANNOTATIONS.has(keyword))
}

/**
 * Formats for international names and addresses are unknown here, and refused at
 * registration like a typing error.
 */
function isKnownFormat(format: unknown): boolean {
  return typeof format === 'string' && !/^(idn-|iri)/.test(format)
}
