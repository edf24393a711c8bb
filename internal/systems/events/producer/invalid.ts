/**
 * Makes bodies that the processor must refuse, one maker per way of being wrong.
 *
 * Shapes  the fields of a valid event in, the text of an invalid body out.
 * Source  internal/docs/architecture.md, "Event contract": the closed set of rejection
 *         reasons. Three of them are not made here: `conflict` needs two events,
 *         `schema-violation` a registered schema, and the queue itself refuses a body
 *         that is `too-large`.
 */

import type { Random } from '../../../engine/cli/random.js'
import type { RejectionReason } from '../event/event.js'

export interface Subject {
  readonly clientId: string
  readonly eventType: string
  /** A number that no other event of the run has. */
  readonly sequence: number
}

export interface InvalidBody {
  readonly reason: RejectionReason
  readonly body: string
}

/** Deeper than any useful payload, but every JSON parser still reads it. */
const DEPTH = 3_000

type Maker = (subject: Subject, random: Random) => string

const FIELDS = ['event_type', 'client_id', 'message'] as const

/** The body of a valid event as an object. */
function fields({ clientId, eventType, sequence }: Subject): Record<string, unknown> {
  return { event_type: eventType, client_id: clientId, message: `spoilt event ${sequence}` }
}

function without(
  subject: Subject,
  random: Random,
  spoil: (body: Record<string, unknown>, field: string) => void
): string {
  const body = fields(subject)
  const first = random.below(FIELDS.length)
  const many = 1 + random.below(FIELDS.length)
  for (let n = 0; n < many; n++) spoil(body, FIELDS[(first + n) % FIELDS.length] ?? 'message')
  return JSON.stringify({ ...body, sequence: subject.sequence })
}

const spoilt = (subject: Subject, over: Record<string, unknown>): string =>
  JSON.stringify({ ...fields(subject), ...over })

type Way = readonly [RejectionReason, Maker]

const WAYS: readonly [Way, ...Way[]] = [
  ['not-json', ({ sequence }) => `plain text instead of an event, number ${sequence}`],
  ['not-json', subject => JSON.stringify(fields(subject)).slice(0, -1)],
  ['not-json', subject => `${JSON.stringify(fields(subject))} and more`],
  ['not-an-object', ({ sequence }) => JSON.stringify(['an', 'array', sequence])],
  ['not-an-object', ({ sequence }) => `${sequence}`],
  [
    'missing-field',
    (subject, random) =>
      without(subject, random, (body, field) => Reflect.deleteProperty(body, field))
  ],
  [
    'missing-field',
    (subject, random) => without(subject, random, (body, field) => (body[field] = ''))
  ],
  [
    'missing-field',
    (subject, random) => without(subject, random, (body, field) => (body[field] = null))
  ],
  ['invalid-field', subject => spoilt(subject, { message: subject.sequence })],
  ['invalid-field', subject => spoilt(subject, { event_type: ['not', 'a', 'name'] })],
  ['invalid-field', subject => spoilt(subject, { client_id: 'c'.repeat(101) })],
  ['invalid-field', subject => spoilt(subject, { event_id: 'i'.repeat(256) })],
  ['unknown-client', subject => spoilt(subject, { client_id: 'nobody-knows-this-client' })],
  [
    'unknown-event-type',
    subject => spoilt(subject, { event_type: 'nobody-knows-this-event-type' })
  ],
  ['unstorable', subject => spoilt(subject, { client_id: `${subject.clientId}\0` })],
  ['unstorable', subject => spoilt(subject, { event_id: `${subject.sequence}\ud800` })],
  [
    'too-deep',
    subject => {
      const [type, client] = [JSON.stringify(subject.eventType), JSON.stringify(subject.clientId)]
      return `{"event_type":${type},"client_id":${client},"message":${nested()}}`
    }
  ]
]

const nested = (): string => '['.repeat(DEPTH) + ']'.repeat(DEPTH)

/** Takes the makers in turn from a random one on, so that a short run has many kinds. */
export function createInvalidBodies(random: Random): (subject: Subject) => InvalidBody {
  let next = random.below(WAYS.length)
  return subject => {
    const [reason, make] = WAYS[next++ % WAYS.length] ?? WAYS[0]
    return { reason, body: make(subject, random) }
  }
}
