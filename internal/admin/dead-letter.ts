/**
 * A dead letter as people see it: the message, and what its body says of itself if it says anything.
 *
 * Shapes  a received message in; client, event type and id are null where the body is no JSON object or does not have them as text.
 */
import type { ReceivedMessage } from '../message/message.js'

export interface DeadLetter {
  readonly message: ReceivedMessage
  readonly clientId: string | null
  readonly eventType: string | null
  readonly eventId: string | null
}

/** Conditions that must all hold; null = no condition. */
export interface DeadLetterFilter {
  readonly ids: ReadonlySet<string> | null
  readonly clientId: string | null
  readonly eventType: string | null
  readonly since: Date | null
  readonly olderThan: Date | null
}

export function readDeadLetter(message: ReceivedMessage): DeadLetter {
  const body = parseObject(message.body)
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return { message, clientId: text(body['client_id']), eventType: text(body['event_type']), eventId: text(body['event_id']) }
}

export function matches({ message, clientId, eventType }: DeadLetter, filter: DeadLetterFilter): boolean {
  return (
    (filter.ids === null || filter.ids.has(message.id)) &&
    (filter.clientId === null || filter.clientId === clientId) &&
    (filter.eventType === null || filter.eventType === eventType) &&
    (filter.since === null || message.sentAtMs >= filter.since.getTime()) &&
    (filter.olderThan === null || message.sentAtMs < filter.olderThan.getTime())
  )
}

function parseObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
