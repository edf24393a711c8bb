/**
 * What a recipient gets: the payload as it was sent, with facts about its event (pure).
 *
 * Shapes  a JSON object {"type", "timestamp", "id", "client", "data"}; `data` is the
 *         payload's stored text, character for character, so that a number keeps its
 *         digits and an object its order. `timestamp` is when the event was stored.
 * Source  Standard Webhooks recommends `type`, `timestamp` and `data`.
 */
import { hash } from 'node:crypto'
import type { DueDelivery } from './store/deliveries.js'

export function envelopeOf(
  client: string,
  { eventType, receivedAtMs, messageId, payload }: DueDelivery
): string {
  const type = JSON.stringify(eventType)
  const timestamp = new Date(receivedAtMs).toISOString()
  const id = JSON.stringify(messageId)
  const owner = JSON.stringify(client)
  return `{"type":${type},"timestamp":"${timestamp}","id":${id},"client":${owner},"data":${payload}}`
}

const ID_CHARS = 32

/**
 * Recipients drop repeats by this id: it is the same for every attempt at one event for
 * one endpoint, and unique to them. It is a digest because an event id may hold
 * characters that a header or the signed text must not.
 */
export function webhookIdOf(endpointId: number, client: string, messageId: string): string {
  return `msg_${hash('sha256', JSON.stringify([endpointId, client, messageId]), 'base64url').slice(0, ID_CHARS)}`
}
