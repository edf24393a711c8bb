/**
 * Says what would become of an event if it came now, or with another schema in force.
 * Sends and writes nothing.
 *
 * Shapes  bodies or payloads in; null (it would be accepted) or the objection out.
 * Errors  StoreError while the schemas and names are read; the answers never throw.
 */
import type { Violation } from '../../../engine/message/message.js'
import type { Objection } from '../../../engine/rejections/objections.js'
import { createDecoder } from '../event/decode.js'
import type { RejectionReason } from '../event/event.js'
import {
  createPayloadSchemas,
  type PayloadSchemas,
  type RegisteredSchema
} from '../schemas/payload-schemas.js'
import type { Names } from '../store/names.js'
import type { SchemaRegistry } from '../store/schema-registry.js'

export interface WouldAccept {
  /**
   * Whether the candidate would judge such an event: a client's own schema takes
   * precedence over the general one.
   */
  readonly isByCandidate: (clientId: string | null, eventType: string) => boolean
  /** A whole body, as the queue brings it. */
  readonly objectionToBody: (body: string) => Objection | null
  /** The payload alone, of a stored event. */
  readonly objectionToPayload: (
    clientId: string,
    eventType: string,
    payload: string
  ) => Objection | null
}

/** A version that judges as if it were the active one. */
export interface Candidate {
  readonly eventType: string
  readonly clientId: string | null
  readonly schema: unknown
}

export interface WouldAcceptOptions {
  readonly schemas: SchemaRegistry
  readonly clients: Names
  readonly eventTypes: Names
  readonly candidate: Candidate | null
}

/** No row has this id. */
const CANDIDATE_ID = 0
const BROKEN: Violation = {
  pointer: '/message',
  keyword: 'schema',
  message: 'the schema cannot be evaluated for this payload'
}

export async function createWouldAccept({
  schemas,
  clients,
  eventTypes,
  candidate
}: WouldAcceptOptions): Promise<WouldAccept> {
  const payloadSchemas = createPayloadSchemas()
  payloadSchemas.replace(await readInForce(schemas, candidate))
  const takenClients = await readTaken(clients)
  const takenTypes = await readTaken(eventTypes)
  const decode = createDecoder({ payloadSchemas })

  return {
    isByCandidate: (clientId, eventType) =>
      payloadSchemas.find(clientId ?? '', eventType)?.active?.id === CANDIDATE_ID,
    objectionToBody(body) {
      try {
        const verdict = decode({
          id: '-',
          token: '',
          body,
          bytes: Buffer.byteLength(body),
          receiveCount: 1,
          sentAtMs: 0
        })
        if (verdict.kind === 'rejected')
          return objection(verdict.rejection.reason, verdict.rejection.violations)
        const { clientId, eventType } = verdict.item
        if (!takenClients.has(clientId))
          return { reason: 'unknown-client', violation: notTaken('/client_id', 'client') }
        if (!takenTypes.has(eventType))
          return { reason: 'unknown-event-type', violation: notTaken('/event_type', 'event type') }
        return null
      } catch {
        return { reason: 'schema-violation', violation: BROKEN }
      }
    },
    objectionToPayload: (clientId, eventType, payload) =>
      checkPayload(payloadSchemas, clientId, eventType, payload)
  }
}

function checkPayload(
  payloadSchemas: PayloadSchemas,
  clientId: string,
  eventType: string,
  payload: string
): Objection | null {
  try {
    const violations =
      payloadSchemas.find(clientId, eventType)?.active?.check(JSON.parse(payload)) ?? []
    return violations.length === 0 ? null : objection('schema-violation', violations)
  } catch {
    return { reason: 'schema-violation', violation: BROKEN }
  }
}

async function readInForce(
  schemas: SchemaRegistry,
  candidate: Candidate | null
): Promise<readonly RegisteredSchema[]> {
  const inForce: RegisteredSchema[] = []
  for (const { id } of await schemas.list({ state: 'active' })) {
    const found = await schemas.show(id)
    if (found?.state !== 'active') continue
    const { eventType, clientId, version, hash, text } = found
    if (candidate !== null && eventType === candidate.eventType && clientId === candidate.clientId)
      continue
    inForce.push({
      id,
      eventType,
      clientId,
      version,
      state: 'active',
      hash,
      schema: JSON.parse(text) as unknown
    })
  }
  if (candidate !== null)
    inForce.push({ id: CANDIDATE_ID, version: 0, state: 'active', hash: 'candidate', ...candidate })
  return inForce
}

async function readTaken(names: Names): Promise<ReadonlySet<string>> {
  return new Set(
    (await names.list()).filter(({ disabledAt }) => disabledAt === null).map(({ name }) => name)
  )
}

function objection(reason: RejectionReason, violations: readonly Violation[]): Objection {
  return { reason, violation: violations[0] ?? BROKEN }
}

function notTaken(pointer: string, noun: string): Violation {
  return { pointer, keyword: 'registered', message: `the ${noun} is not registered, or disabled` }
}
