/**
 * Turns one received message into its verdict: a valid event, or a rejection with all its
 * violations.
 *
 * Shapes  the checks run from cheap to expensive and stop at the first that refuses:
 *         size, JSON, object, depth, contract, payload text, payload schema. A
 *         rejection's violations never quote the payload and can always be stored; its
 *         `clientId`, `eventType` and `messageId` are as sent and may not be storable
 *         (too long, NUL).
 * Units   depth: objects and arrays open at once, the body itself being 1.
 * Errors  no body makes it throw. It throws PayloadCheckError when the validator of a
 *         payload schema breaks. That says nothing about the event, so the caller neither
 *         stores nor deletes this message and goes on with the others; the queue's
 *         receive limit decides.
 * Source  PostgreSQL `json` accepts every text that JSON.parse accepts, NUL escapes and
 *         lone-surrogate escapes included, to a depth of some thousands (SQLSTATE 54001
 *         beyond); MAX_DEPTH stays far below.
 */
import { firstId, type ReceivedMessage, type Violation } from '../../../engine/message/message.js'
import { isWellFormed } from '../../../engine/message/storable.js'
import {
  type PayloadSchemas,
  type SchemaInForce,
  type ShadowSchema
} from '../schemas/payload-schemas.js'
import { type EventBody, explainBreach, MAX_BODY_BYTES, satisfiesContract } from './contract.js'
import type { EventRejection, EventVerdict, RejectionReason } from './event.js'
import { describeFound } from './found.js'
import { findJsonError } from './json-error.js'
import { findPayload, type PayloadSpan } from './payload-span.js'

const MAX_DEPTH = 64

export interface DecoderOptions {
  readonly payloadSchemas: Pick<PayloadSchemas, 'find'>
  /**
   * Called when a shadow version has checked a message, with the first keyword that would
   * reject it, or null.
   */
  readonly onShadow?: (
    shadow: ShadowSchema,
    message: ReceivedMessage,
    objection: string | null
  ) => void
}

export type Decoder = (message: ReceivedMessage) => EventVerdict

/** The validator of a payload schema broke. */
export class PayloadCheckError extends Error {
  override readonly name = 'PayloadCheckError'
  readonly clientId: string
  readonly eventType: string

  constructor(clientId: string, eventType: string, cause: unknown) {
    super(`the payload schema of client ${clientId}, event type ${eventType} cannot be evaluated`, {
      cause
    })
    this.clientId = clientId
    this.eventType = eventType
  }
}

export function createDecoder({ payloadSchemas, onShadow }: DecoderOptions): Decoder {
  return function decode(message) {
    const { body } = message
    if (message.bytes > MAX_BODY_BYTES) return refuse('too-large', [tooLarge(message.bytes)])
    let parsed: unknown
    try {
      parsed = JSON.parse(body)
    } catch {
      return refuse('not-json', [notJson(body)])
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      return refuse('not-an-object', [notAnObject(parsed)])
    const span = findPayload(body)
    if (span.depth > MAX_DEPTH)
      return refuse('too-deep', [tooDeep(span.depth)], keep(message, parsed, span))
    if (!satisfiesContract(parsed)) {
      const { reason, violations } = explainBreach(parsed)
      return refuse(reason, violations, keep(message, parsed, span))
    }
    const payload = body.slice(span.start, span.end)
    if (!isWellFormed(payload))
      return refuse('unstorable', [UNSTORABLE_PAYLOAD], keep(message, parsed, span))
    const schemas = payloadSchemas.find(parsed.client_id, parsed.event_type)
    let schemaId: number | null = null
    if (schemas !== null) {
      if (onShadow !== undefined)
        for (const shadow of schemas.shadows) onShadow(shadow, message, objectionOf(shadow, parsed))
      if (schemas.active !== null) {
        const violations = checkPayload(schemas.active, parsed)
        if (violations.length > 0)
          return refuse('schema-violation', violations, keep(message, parsed, span))
        schemaId = schemas.active.id
      }
    }
    const messageId = parsed.event_id ?? firstId(message)
    return {
      kind: 'valid',
      item: {
        clientId: parsed.client_id,
        eventType: parsed.event_type,
        messageId,
        payload,
        schemaId
      }
    }
  }
}

function checkPayload(schema: SchemaInForce, body: EventBody): readonly Violation[] {
  try {
    return schema.check(body.message)
  } catch (error) {
    throw new PayloadCheckError(body.client_id, body.event_type, error)
  }
}

/**
 * The keyword by which a shadow version rejects a payload. A validator that breaks harms
 * no event here, but must not become active, so it counts as an objection.
 */
function objectionOf(shadow: ShadowSchema, body: EventBody): string | null {
  try {
    return shadow.check(body.message)[0]?.keyword ?? null
  } catch {
    return 'cannot be evaluated'
  }
}

type Kept = Pick<EventRejection, 'clientId' | 'eventType' | 'messageId' | 'payload'>

const NOTHING_KEPT: Kept = { clientId: null, eventType: null, messageId: null, payload: null }

function refuse(
  reason: RejectionReason,
  violations: readonly Violation[],
  kept = NOTHING_KEPT
): EventVerdict {
  return { kind: 'rejected', rejection: { reason, violations, ...kept } }
}

/** What a refused body says about itself. */
function keep(message: ReceivedMessage, body: object, span: PayloadSpan): Kept {
  const {
    client_id: clientId,
    event_type: eventType,
    event_id: eventId,
    message: payload
  } = body as Partial<Record<keyof EventBody, unknown>>
  return {
    clientId: textOrNull(clientId),
    eventType: textOrNull(eventType),
    messageId: eventId === undefined || eventId === null ? firstId(message) : textOrNull(eventId),
    payload:
      textOrNull(payload) !== null || (typeof payload === 'object' && payload !== null)
        ? message.body.slice(span.start, span.end)
        : null
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

const UNSTORABLE_PAYLOAD: Violation = {
  pointer: '/message',
  keyword: 'storable',
  message:
    'message holds a lone surrogate that is not escaped, which UTF-8 cannot carry: ' +
    'send well-formed Unicode, or escape it as \\uXXXX'
}

function tooLarge(bytes: number): Violation {
  return {
    pointer: '',
    keyword: 'maxBytes',
    message: `the body has ${bytes} bytes: send at most ${MAX_BODY_BYTES}`
  }
}

function notJson(body: string): Violation {
  return {
    pointer: '',
    keyword: 'json',
    message: `the body is not JSON (${whereNotJson(body)}): send one JSON object`
  }
}

function whereNotJson(body: string): string {
  if (body === '') return 'it is empty'
  if (body.startsWith('\uFEFF')) return 'it starts with a byte order mark'
  const offset = findJsonError(body)
  return offset === body.length
    ? `it ends too early, after ${offset} characters`
    : `it breaks at character ${offset + 1} of ${body.length}`
}

function notAnObject(body: unknown): Violation {
  return {
    pointer: '',
    keyword: 'type',
    message: `the body is not an object (found ${describeFound(body)}): send one event as a JSON object`
  }
}

function tooDeep(depth: number): Violation {
  return {
    pointer: '',
    keyword: 'depth',
    message: `the body is nested ${depth} levels deep: nest at most ${MAX_DEPTH}, the body itself being 1`
  }
}
