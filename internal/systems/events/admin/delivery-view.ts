/** Shows deliveries: in a table, alone with their attempts, and as JSON. */

import { formatFields, formatTable, type TableColumn } from '../../../engine/cli/table.js'
import { formatCount, formatTime } from '../../../engine/cli/terminal-text.js'
import { webhookIdOf } from '../delivery/envelope.js'
import type { AttemptRecord, DeliveryRecord } from '../delivery/store/delivery-records.js'
import { outcomeOf } from './endpoint-view.js'

const COLUMNS: readonly TableColumn[] = [
  { title: 'id', isRight: true },
  { title: 'made (UTC)' },
  { title: 'endpoint', isRight: true },
  { title: 'client', keeps: 8 },
  { title: 'event type', keeps: 8 },
  { title: 'message id' },
  { title: 'state' },
  { title: 'attempts', isRight: true },
  { title: 'then' }
]

const ATTEMPT_COLUMNS: readonly TableColumn[] = [
  { title: 'attempt', isRight: true },
  { title: 'when (UTC)' },
  { title: 'outcome' },
  { title: 'ms', isRight: true },
  { title: 'answer', keeps: 16 }
]

export function formatDeliveries(
  deliveries: readonly DeliveryRecord[],
  terminalWidth: number | null
): string {
  const rows = deliveries.map(delivery => [
    delivery.id,
    formatTime(delivery.createdAt),
    String(delivery.endpointId),
    delivery.client,
    delivery.eventType ?? '-',
    delivery.messageId,
    delivery.state,
    String(delivery.attempts),
    thenOf(delivery)
  ])
  return formatTable(COLUMNS, rows, terminalWidth)
}

/** What comes next, or how it ended. */
export function thenOf({ state, deadReason, nextAttemptAt, finishedAt }: DeliveryRecord): string {
  if (state === 'pending')
    return nextAttemptAt === null
      ? 'when it is the first'
      : `next attempt from ${formatTime(nextAttemptAt)}`
  return `${state === 'dead' ? `${deadReason ?? ''} ` : ''}${formatTime(finishedAt)}`
}

export function formatDeliveryRecord(
  delivery: DeliveryRecord,
  attempts: readonly AttemptRecord[],
  terminalWidth: number | null
): string {
  const isTimed = delivery.nextAttemptAt !== null || delivery.finishedAt !== null
  const fields: (readonly [string, string])[] = [
    ['delivery', delivery.id],
    ['endpoint', String(delivery.endpointId)],
    ['webhook-id', webhookIdOfDelivery(delivery)],
    ['client', delivery.client],
    ['message id', delivery.messageId],
    ['event type', delivery.eventType ?? '- (the event’s row is gone)'],
    ['state', `${delivery.state}, ${thenOf(delivery)}${isTimed ? ' UTC' : ''}`],
    ['made', `${formatTime(delivery.createdAt)} UTC`]
  ]
  const tried =
    attempts.length === 0
      ? 'no attempts yet\n'
      : `attempts\n${formatAttempts(attempts, terminalWidth)}`
  return `${formatFields(fields)}${tried}`
}

export function formatAttempts(
  attempts: readonly AttemptRecord[],
  terminalWidth: number | null
): string {
  const rows = attempts.map(attempt => [
    String(attempt.attempt),
    formatTime(attempt.startedAt),
    outcomeOf(attempt),
    formatCount(attempt.durationMs),
    attempt.response ?? ''
  ])
  return formatTable(ATTEMPT_COLUMNS, rows, terminalWidth)
}

/** Times as ISO 8601 in UTC. */
export function deliveryJson(delivery: DeliveryRecord): object {
  return { ...delivery, webhookId: webhookIdOfDelivery(delivery) }
}

/** The id by which the recipient knows it. */
export const webhookIdOfDelivery = ({ endpointId, client, messageId }: DeliveryRecord): string =>
  webhookIdOf(endpointId, client, messageId)
