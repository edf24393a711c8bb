/**
 * Turns a payload schema into a compiled check, or says why it cannot be one.
 *
 * Unknown keywords and formats are refused, so that a typing error does not pass for a
 * rule; `required` next to `anyOf` branches is allowed. Patterns run in linear time
 * (linear-pattern.ts), and so do formats, except for `url`, which is left out.
 *
 * Each schema has its own Ajv: a shared one would keep every schema it ever saw. Only the
 * meta-schemas are shared, because compiling them costs more than the schema itself.
 *
 * Shapes  JSON Schema 2020-12 (the default) or draft-07, by `$schema`. `$ref` reaches
 *         only into the schema itself.
 * Errors  compileSchema never throws. A check throws only if the validator breaks, for
 *         example on a schema that refers to itself without end.
 * Source  ajv 8 "Security risks of untrusted schemas": `$data` off, no allErrors, so one
 *         event cannot cause a flood of errors.
 */
import { Ajv, type ErrorObject, type Options } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { type Violation } from '../../../engine/message/message.js'
import { toStorable } from '../../../engine/message/storable.js'
import { describeFound } from '../event/found.js'
import { compilePattern } from './linear-pattern.js'

export interface CompiledSchema {
  readonly kind: 'compiled'
  /**
   * The violations of the schema, at most MAX_VIOLATIONS. Pointers start with `/message`.
   */
  readonly check: (payload: unknown) => readonly Violation[]
}

export interface SchemaProblem {
  readonly kind: 'problem'
  /** JSON pointer to the problem, as far as it is known; '' is the schema itself. */
  readonly pointer: string
  /** A sentence for the schema's author. */
  readonly message: string
}

export const MAX_VIOLATIONS = 20
const MAX_POINTER_CHARS = 300
const MAX_MESSAGE_CHARS = 500

/**
 * Each compiled schema is tried with these, to find one that refers to itself without
 * end. Most schemas are for objects.
 */
const PROBES: readonly unknown[] = [{}, [], '']
const NO_VIOLATIONS: readonly Violation[] = []

const OPTIONS: Options = {
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: false,
  $data: false,
  // What every object inherits is not a property of a payload.
  ownProperties: true,
  // Errors then carry the value, which violations describe by kind and size.
  verbose: true,
  logger: false,
  code: { regExp: Object.assign(compilePattern, { code: 'new RegExp' }) }
}

interface Dialect {
  create(options: Options): Ajv | Ajv2020
  readonly meta: Ajv | Ajv2020
}

const DRAFT_07: Dialect = { create: options => new Ajv(options), meta: new Ajv({ logger: false }) }
const DRAFT_2020_12: Dialect = {
  create: options => new Ajv2020(options),
  meta: new Ajv2020({ logger: false })
}
const DIALECTS: ReadonlyMap<unknown, Dialect> = new Map([
  ['http://json-schema.org/draft-07/schema', DRAFT_07],
  ['http://json-schema.org/draft-07/schema#', DRAFT_07],
  ['https://json-schema.org/draft/2020-12/schema', DRAFT_2020_12],
  ['https://json-schema.org/draft/2020-12/schema#', DRAFT_2020_12]
])

export interface CompileOptions {
  /** False allows keywords without a `type` next to them, and ignores unknown ones. */
  readonly isStrict?: boolean
}

export function compileSchema(
  schema: unknown,
  { isStrict = true }: CompileOptions = {}
): CompiledSchema | SchemaProblem {
  try {
    return compile(schema, isStrict)
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error))
  }
}

function compile(schema: unknown, isStrict: boolean): CompiledSchema | SchemaProblem {
  if (typeof schema !== 'boolean' && !isObject(schema))
    return problem(`a schema is an object or a boolean, found ${describeFound(schema)}`)
  const dialect = dialectOf(schema)
  if (!dialect) return problem('$schema names neither draft-07 nor 2020-12')
  if (dialect.meta.validateSchema(schema) !== true) {
    return problem(
      dialect.meta.errorsText(dialect.meta.errors, { dataVar: 'schema' }),
      dialect.meta.errors?.[0]?.instancePath
    )
  }
  const ajv = dialect.create({ ...OPTIONS, strict: isStrict, meta: false, validateSchema: false })
  ajvFormats.default(ajv)
  delete ajv.formats['url']
  // ajv resolves $anchor, but reports it as unknown.
  if (dialect === DRAFT_2020_12) ajv.addKeyword('$anchor')
  const validate = ajv.compile(schema)
  // An asynchronous validator returns a promise, which would count as true.
  if ('$async' in validate) return problem('$async is not supported: checks are synchronous')
  const check = (payload: unknown): readonly Violation[] =>
    validate(payload) ? NO_VIOLATIONS : toViolations(validate.errors ?? [])
  for (const probe of PROBES) check(probe)
  return { kind: 'compiled', check }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function dialectOf(schema: boolean | Record<string, unknown>): Dialect | undefined {
  const named = typeof schema === 'boolean' ? undefined : schema['$schema']
  return named === undefined ? DRAFT_2020_12 : DIALECTS.get(named)
}

function problem(message: string, pointer = ''): SchemaProblem {
  return {
    kind: 'problem',
    pointer: toStorable(pointer, MAX_POINTER_CHARS),
    message: toStorable(message, MAX_MESSAGE_CHARS)
  }
}

function toViolations(errors: readonly ErrorObject[]): readonly Violation[] {
  return errors.slice(0, MAX_VIOLATIONS).map(error => {
    const pointer = toStorable(`/message${error.instancePath}`, MAX_POINTER_CHARS)
    const message = toStorable(
      `${pointer} ${ruleOf(error)} (found ${describeFound(error.data)})`,
      MAX_MESSAGE_CHARS
    )
    return { pointer, keyword: error.keyword, message }
  })
}

/** ajv's message, with the allowed value or the extra property that it leaves out. */
function ruleOf(error: ErrorObject): string {
  const rule = error.message ?? `must pass ${error.keyword}`
  const params = error.params as Record<string, unknown>
  const left =
    params['allowedValues'] ??
    params['allowedValue'] ??
    params['additionalProperty'] ??
    params['unevaluatedProperty']
  return left === undefined ? rule : `${rule}: ${JSON.stringify(left)}`
}
