/**
 * The event contract: one JSON Schema for the body of a queue message.
 *
 * Shapes  EVENT_CONTRACT is the schema itself, with two keywords of ours: `storable`
 *         (well-formed Unicode without U+0000) and `maxBytes` (UTF-8 bytes). Each
 *         `description` completes the sentence "it must be …" in messages for a
 *         producer's developer.
 * Errors  never throws on parsed JSON. Accepting costs one compiled call; only
 *         `explainBreach` looks at errors.
 * Source  internal/docs/architecture.md, "Event contract"; a field that is null counts as
 *         absent, as in the original system.
 */
import { type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Violation } from '../../../engine/message/message.js'
import { isStorable } from '../../../engine/message/storable.js'
import type { RejectionReason } from './event.js'
import { describeFound } from './found.js'

/** The longest body that is read, in UTF-8 bytes. */
export const MAX_BODY_BYTES = 1_048_576

/** A body that satisfies the contract. */
export interface EventBody {
  readonly event_type: string
  readonly client_id: string
  readonly message: string | object
  readonly event_id?: string | null
}

/**
 * Why a body breaks the contract: the reason that takes precedence, and all violations.
 */
export interface Breach {
  readonly reason: Extract<RejectionReason, 'missing-field' | 'invalid-field' | 'unstorable'>
  readonly violations: readonly Violation[]
}

export const EVENT_CONTRACT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Event',
  type: 'object',
  required: ['event_type', 'client_id', 'message'],
  properties: {
    event_type: {
      description:
        'the name of a registered event type, a string of 1 to 100 characters without NUL or lone surrogates',
      type: 'string',
      minLength: 1,
      maxLength: 100,
      storable: true
    },
    client_id: {
      description:
        'the name of a registered client, a string of 1 to 100 characters without NUL or lone surrogates',
      type: 'string',
      minLength: 1,
      maxLength: 100,
      storable: true
    },
    message: {
      description: 'the payload: a string that is not empty, an object or an array',
      type: ['string', 'object', 'array'],
      // Not minLength, which would count all characters of a payload.
      not: { const: '' }
    },
    event_id: {
      description:
        "the producer's own id, a string of 1 to 255 bytes without NUL or lone surrogates, or left out",
      type: ['string', 'null'],
      minLength: 1,
      maxBytes: 255,
      storable: true
    }
  }
} as const

type Field = keyof typeof EVENT_CONTRACT.properties

const FIELDS = Object.keys(EVENT_CONTRACT.properties) as Field[]
const REQUIRED: readonly Field[] = EVENT_CONTRACT.required

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, logger: false })
ajv.addKeyword({
  keyword: 'storable',
  type: 'string',
  schemaType: 'boolean',
  compile: (isAsked: boolean) => (text: string) => !isAsked || isStorable(text)
})
ajv.addKeyword({
  keyword: 'maxBytes',
  type: 'string',
  schemaType: 'number',
  // A UTF-16 unit is at most three bytes, so short strings need no counting.
  compile: (limit: number) => (text: string) =>
    text.length * 3 <= limit || Buffer.byteLength(text) <= limit
})
const validate = ajv.compile<EventBody>(EVENT_CONTRACT)

export function satisfiesContract(body: object): body is EventBody {
  return validate(body)
}

/**
 * Lists all violations of a body that `satisfiesContract` refuses, by field in the
 * contract's order.
 */
export function explainBreach(body: object): Breach {
  validate(body)
  const errors = validate.errors ?? []
  const violations = FIELDS.flatMap(field => explainField(field, valueOf(body, field), errors))
  const keywords = new Set(violations.map(violation => violation.keyword))
  if (keywords.has('required')) return { reason: 'missing-field', violations }
  keywords.delete('storable')
  return { reason: keywords.size > 0 ? 'invalid-field' : 'unstorable', violations }
}

function explainField(
  field: Field,
  value: unknown,
  errors: readonly ErrorObject[]
): readonly Violation[] {
  const pointer = `/${field}`
  const must = `it must be ${EVENT_CONTRACT.properties[field].description}`
  if (REQUIRED.includes(field) && isMissing(value)) {
    return [
      {
        pointer,
        keyword: 'required',
        message: `${field} is missing (found ${describeFound(value)}): ${must}`
      }
    ]
  }
  const wrong = errors.filter(error => error.instancePath === pointer)
  return wrong.map(({ keyword }) => ({
    pointer,
    keyword,
    message: `${field} ${complaint(keyword)} (found ${describeFound(value)}): ${must}`
  }))
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

function complaint(keyword: string): string {
  switch (keyword) {
    case 'type':
      return 'has the wrong type'
    case 'minLength':
      return 'is empty'
    case 'maxLength':
    case 'maxBytes':
      return 'is too long'
    default:
      return 'holds characters that the database cannot store'
  }
}

/** Own properties only: a body may carry any key, `__proto__` included. */
function valueOf(body: object, field: Field): unknown {
  return Object.getOwnPropertyDescriptor(body, field)?.value
}
