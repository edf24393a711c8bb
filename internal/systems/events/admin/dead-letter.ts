/**
 * A dead letter as people see it: the message, and the client, event type and id in its
 * body. They are null where the body is not a JSON object or does not have them as text.
 */
import type { ReceivedMessage } from '../../../engine/message/message.js'
import { type BodyNames, readBodyNames } from './body-names.js'

export interface DeadLetter extends BodyNames {
  readonly message: ReceivedMessage
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
  return { message, ...readBodyNames(message.body) }
}

export function matches(
  { message, clientId, eventType }: DeadLetter,
  filter: DeadLetterFilter
): boolean {
  return (
    (filter.ids === null || filter.ids.has(message.id)) &&
    (filter.clientId === null || filter.clientId === clientId) &&
    (filter.eventType === null || filter.eventType === eventType) &&
    (filter.since === null || message.sentAtMs >= filter.since.getTime()) &&
    (filter.olderThan === null || message.sentAtMs < filter.olderThan.getTime())
  )
}
