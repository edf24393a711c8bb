/**
 * The messages of one schedule, and what must become of each of them, known from its own
 * client's messages alone.
 *
 * Units   virtual milliseconds.
 */
import type { RejectionReason, ValidEvent } from '../../engine/message/message.js'
import type { Dice } from './dice.js'

export const CLIENTS = ['client-1', 'client-2', 'client-3'] as const
export const EVENT_TYPES = ['user-app', 'monitor-app'] as const

export type Sent = {
  /** The queue's MessageId. */
  readonly id: string
  /** Infinity: when all others are settled, shortly before the workers are stopped. */
  readonly atMs: number
  readonly clientId: string
  readonly body: string
} & (
  | { readonly kind: 'valid'; readonly event: ValidEvent }
  /** Refused by validation, or by the database for what it says. */
  | { readonly kind: 'invalid'; readonly reason: RejectionReason }
  /** Valid, but its row is a data error to the database. */
  | { readonly kind: 'unstorable' }
  /** A data error to the database, even as a rejection. */
  | { readonly kind: 'cursed' }
  /** Kills the process that looks at it. */
  | { readonly kind: 'killer' }
)

export interface LoadOptions {
  readonly messages: number
  /** Sent when all others are settled. */
  readonly lastMessages: number
  readonly overMs: number
  readonly hasKillers: boolean
}

type WithoutPlace<T> = T extends unknown ? Omit<T, 'id' | 'atMs' | 'clientId'> : never

export function createLoad(
  { messages, lastMessages, overMs, hasKillers }: LoadOptions,
  dice: Dice
): readonly Sent[] {
  const sent: Sent[] = []
  // Clients differ: the first sends most, the last one mostly nonsense. Ids are few, so
  // that they meet within and between clients.
  const ids = 1 + dice.below(messages)
  const pickClient = (): string =>
    dice.pick([CLIENTS[0], CLIENTS[0], CLIENTS[0], CLIENTS[1], CLIENTS[2]])
  for (let index = 0; index < messages; index++) {
    const clientId = pickClient()
    const badness = clientId === CLIENTS[2] ? 0.6 : 0.08
    const id = `m${index}`
    const what = dice.chance(badness)
      ? badOne(clientId, id, dice, hasKillers)
      : goodOne(clientId, id, ids, dice)
    // Bursts: about half of the messages come together with the one before.
    const atMs = dice.chance(0.5) ? (sent.at(-1)?.atMs ?? 0) : dice.between(0, overMs)
    sent.push({ id, atMs, clientId, ...what })
  }
  for (let index = messages; index < messages + lastMessages; index++) {
    const clientId = pickClient()
    sent.push({
      id: `m${index}`,
      atMs: Infinity,
      clientId,
      ...goodOne(clientId, `m${index}`, ids, dice)
    })
  }
  return sent.sort((one, other) => (one.atMs === other.atMs ? 0 : one.atMs - other.atMs))
}

function goodOne(clientId: string, queueId: string, ids: number, dice: Dice): WithoutPlace<Sent> {
  const eventType = dice.pick(EVENT_TYPES)
  const eventId = dice.chance(0.75) ? `event-${dice.below(ids)}` : null
  // The same id mostly brings the same payload and type (a duplicate), now and then
  // others (a conflict).
  const variant = dice.chance(0.1) ? dice.below(3) : 0
  const type = eventId === null || variant === 2 ? eventType : EVENT_TYPES[0]
  const payload =
    eventId === null ? `{ "of" : "${queueId}" }` : `{"of":"${eventId}", "price":1.${variant}0}`
  const body = `{"event_type":"${type}","client_id":"${clientId}",${eventId === null ? '' : `"event_id":"${eventId}",`} "message":${payload}}`
  return {
    kind: 'valid',
    body,
    event: { clientId, eventType: type, messageId: eventId ?? queueId, payload, schemaId: null }
  }
}

type Invalid = readonly [RejectionReason, (clientId: string, queueId: string) => string]

const INVALID: readonly Invalid[] = [
  ['not-json', (_clientId, queueId) => `no event: ${queueId}`],
  ['not-an-object', (_clientId, queueId) => `["${queueId}"]`],
  ['missing-field', clientId => `{"event_type":"user-app","client_id":"${clientId}"}`],
  ['invalid-field', clientId => `{"event_type":"user-app","client_id":"${clientId}","message":7}`],
  ['unknown-client', () => '{"event_type":"user-app","client_id":"nobody","message":"hello"}'],
  [
    'unknown-event-type',
    clientId => `{"event_type":"nothing","client_id":"${clientId}","message":"hello"}`
  ]
]

function badOne(
  clientId: string,
  queueId: string,
  dice: Dice,
  hasKillers: boolean
): WithoutPlace<Sent> {
  const kind =
    hasKillers && dice.chance(0.2)
      ? 'killer'
      : dice.pick(['invalid', 'invalid', 'invalid', 'unstorable', 'cursed'] as const)
  if (kind === 'invalid') {
    const [reason, body] = dice.pick(INVALID)
    return { kind, reason, body: body(clientId, queueId) }
  }
  return {
    kind,
    body: `{"event_type":"user-app","client_id":"${clientId}","event_id":"${kind}-${queueId}","message":"${kind}"}`
  }
}
