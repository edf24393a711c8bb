/** The end of an event's story: its deliveries, with every attempt. */

import { printable } from '../../../engine/cli/terminal-text.js'
import type { AttemptRecord, DeliveryRecord } from '../delivery/store/delivery-records.js'
import type { StoredEvent } from '../store/records.js'
import type { AdminContext } from './context.js'
import { deliveryJson, formatAttempts, thenOf, webhookIdOfDelivery } from './delivery-view.js'

export interface SentDelivery {
  readonly delivery: DeliveryRecord
  readonly attempts: readonly AttemptRecord[]
}

export async function findDeliveries(
  stored: readonly StoredEvent[],
  { deliveries }: AdminContext
): Promise<readonly SentDelivery[]> {
  const found = stored.length === 0 ? [] : await deliveries.ofEvents(stored)
  const attempts = found.length === 0 ? [] : await deliveries.attempts(found.map(({ id }) => id))
  return found.map(delivery => ({
    delivery,
    attempts: attempts.filter(({ deliveryId }) => deliveryId === delivery.id)
  }))
}

export function formatSent(sent: readonly SentDelivery[], terminalWidth: number | null): string {
  if (sent.length === 0)
    return 'It has no deliveries: no endpoint takes it, or the sender has not reached it yet.\n'
  return sent.map(one => formatOne(one, terminalWidth)).join('')
}

function formatOne({ delivery, attempts }: SentDelivery, terminalWidth: number | null): string {
  const { id, endpointId, state } = delivery
  const name = `Delivery ${id} to endpoint ${endpointId} as ${webhookIdOfDelivery(delivery)}`
  const head = printable(`${name}: ${state}, ${thenOf(delivery)}`)
  const tried =
    attempts.length === 0 ? 'no attempts yet\n' : formatAttempts(attempts, terminalWidth)
  return `\n${head}\n${tried}`
}

export const sentJson = ({ delivery, attempts }: SentDelivery): object => ({
  ...deliveryJson(delivery),
  everyAttempt: attempts
})
