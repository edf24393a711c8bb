/**
 * What the producers send: the bodies of the three fake producers, and the events of the
 * load generator. Payloads are texts, or objects that satisfy the schemas in
 * deployments/schemas, except for a few of the fake producers' objects.
 *
 * Shapes  a Random in, bodies out; the same seed gives the same bodies.
 * Units   `bodyBytes` is the size of a whole body in UTF-8 bytes.
 */

import type { Random } from '../../../engine/cli/random.js'
import { createInvalidBodies } from './invalid.js'
import { createMix, type EventKind } from './mix.js'

/** The fake producers, and what each of them sends. */
const FAKE_PRODUCERS = [
  {
    eventType: 'monitor-app',
    clientId: 'client-1',
    text: 'processor temperature in millidegrees',
    key: 'temperature'
  },
  {
    eventType: 'transaction-app',
    clientId: 'client-2',
    text: 'payment accepted, amount in cents',
    key: 'amount'
  },
  { eventType: 'user-app', clientId: 'client-3', text: 'signed in, user number', key: 'user' }
] as const

const KEYS: ReadonlyMap<string, string> = new Map(
  FAKE_PRODUCERS.map(({ eventType, key }) => [eventType, key])
)
const EVENT_TYPES = FAKE_PRODUCERS.map(({ eventType }) => eventType)
export const DEFAULT_CLIENTS: readonly string[] = FAKE_PRODUCERS.map(({ clientId }) => clientId)
export const DEFAULT_BODY_BYTES = 350

const FAKE_NUMBERS = 100_000
const BAD_BODY_PERCENT = 11
const OBJECT_PERCENT = 50
const BROKEN_PERCENT = 3

/**
 * What the fake producers send in one tick: one event each, in the order of
 * DEFAULT_CLIENTS, and sometimes a body that is not an event. A few payloads break the
 * schema of their event type; while no schema is active, those events are valid.
 */
export function fakeBodies(random: Random): readonly string[] {
  const bodies = FAKE_PRODUCERS.map(({ eventType, clientId, text, key }) => {
    const number = random.below(FAKE_NUMBERS)
    const kind = random.below(100)
    const broken = { [key]: `about ${number}` }
    const message =
      kind < BROKEN_PERCENT
        ? broken
        : kind < OBJECT_PERCENT
          ? { [key]: number }
          : `${text}: ${number}`
    return JSON.stringify({ event_type: eventType, client_id: clientId, message })
  })
  if (random.below(100) < BAD_BODY_PERCENT)
    bodies.push(`this is not an event: ${random.below(FAKE_NUMBERS)}`)
  return bodies
}

/**
 * A body and the facts about it. `payload` is the JSON text of its `message` value, or
 * null if the body must be refused.
 */
export interface GeneratedEvent {
  readonly kind: EventKind
  readonly body: string
  readonly bytes: number
  /** The client it is sent for; an invalid body may name another or none. */
  readonly clientId: string
  /** The same client, whose turn it takes in a fair queue. */
  readonly group: string
  readonly eventType: string | null
  readonly eventId: string | null
  readonly payload: string | null
}

export interface EventSourceOptions {
  readonly count: number | null
  readonly duplicates: number
  readonly invalid: number
  readonly clients: readonly string[]
  readonly bodyBytes: number
  readonly random: Random
}

/** How many events are kept to be repeated. */
const REPEATABLE_BYTES = 32 * 1024 * 1024
const REPEATABLE_EVENTS = 10_000

/**
 * Gives one event per call, and null after the last. About half of the new events have an
 * event id; only those are repeated.
 */
export function createEventSource(options: EventSourceOptions): () => GeneratedEvent | null {
  const { clients, random, bodyBytes } = options
  const nextKind = createMix(options, random)
  const nextInvalid = createInvalidBodies(random)
  const pad = createPad(bodyBytes)
  const repeatable: GeneratedEvent[] = []
  const keep = Math.max(1, Math.min(REPEATABLE_EVENTS, Math.floor(REPEATABLE_BYTES / bodyBytes)))
  let sequence = 0
  let kept = 0

  const fresh = (clientId: string, eventType: string): GeneratedEvent => {
    const eventId = random.below(2) === 0 ? random.uuid() : null
    const idField = eventId === null ? '' : `,"event_id":"${eventId}"`
    const [type, client] = [JSON.stringify(eventType), JSON.stringify(clientId)]
    const head = `{"event_type":${type},"client_id":${client}${idField},"message":`
    const around = Buffer.byteLength(head) + 1
    const key = KEYS.get(eventType) ?? 'amount'
    const payload = payloadText(sequence, key, random, open =>
      pad(bodyBytes - around - Buffer.byteLength(open), random)
    )
    const body = `${head}${payload}}`
    return {
      kind: 'fresh',
      body,
      bytes: Buffer.byteLength(body),
      clientId,
      group: clientId,
      eventType,
      eventId,
      payload
    }
  }

  return () => {
    const kind = nextKind(repeatable.length > 0)
    if (kind === null) return null
    const again = kind === 'duplicate' ? repeatable[random.below(repeatable.length)] : undefined
    if (again !== undefined) return { ...again, kind: 'duplicate' }
    const clientId = clients[sequence % clients.length] ?? ''
    const eventType = EVENT_TYPES[random.below(EVENT_TYPES.length)] ?? EVENT_TYPES[0] ?? ''
    sequence += 1
    if (kind === 'invalid') {
      const { body } = nextInvalid({ clientId, eventType, sequence })
      return {
        kind,
        body,
        bytes: Buffer.byteLength(body),
        clientId,
        group: clientId,
        eventType,
        eventId: null,
        payload: null
      }
    }
    const event = fresh(clientId, eventType)
    if (event.eventId !== null && options.duplicates > 0) repeatable[kept++ % keep] = event
    return event
  }
}

/**
 * The payload in one of several spellings. They have trailing zeros, spaces and escapes
 * on purpose: a processor that parses the payload and writes it again stores another
 * text, and the ledger's hash shows it.
 */
function payloadText(
  sequence: number,
  key: string,
  random: Random,
  fill: (without: string) => string
): string {
  const number = random.below(FAKE_NUMBERS)
  const [open, close] = SPELLINGS[random.below(SPELLINGS.length)] ?? SPELLINGS[0]
  const start = open
    .replace('#', String(sequence))
    .replaceAll('$', String(number))
    .replace('amount', key)
  return `${start}${fill(start + close)}${close}`
}

const SPELLINGS: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ['{"sequence":#,"amount":$.50,"place":"São Paulo","note":"', '"}'],
  ['{ "sequence" : #, "amount" : $.50, "place" : "S\\u00e3o Paulo", "note" : "', '" }'],
  ['{"samples":[$, $.10, 1e2],"sequence":#,"amount":$,"note":"', '"}'],
  ['"event #, amount $.50: ', '"']
]

const WORDS = 'an event is the fact that a producer publishes, '

/** Cuts text of a given length, each time from a random place. */
function createPad(bodyBytes: number): (bytes: number, random: Random) => string {
  const text = WORDS.repeat(Math.ceil(bodyBytes / WORDS.length) + 1)
  return (bytes, random) => {
    const from = random.below(WORDS.length)
    return text.slice(from, from + Math.max(0, bytes))
  }
}
