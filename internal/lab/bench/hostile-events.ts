/**
 * Batches of ten events, each with one that passes all checks of the processor and that
 * only the database refuses: an unknown client, an unknown event type, or an id that is
 * stored with another payload. So about every receive brings one, and every commit many.
 *
 * Shapes  a number of events in; batches of bodies and the rows that the tables must hold
 *         afterwards out. The same seed gives the same bodies.
 */

import { createRandom } from '../../engine/cli/random.js'
import type { OutgoingMessage } from '../../engine/queue/queue.js'
import { BATCH_ENTRIES } from '../../engine/queue/sqs/limits.js'
import {
  createEventSource,
  DEFAULT_BODY_BYTES,
  DEFAULT_CLIENTS,
  type GeneratedEvent
} from '../../systems/events/producer/events.js'

export interface HostileEvents {
  readonly batches: readonly (readonly OutgoingMessage[])[]
  readonly stored: number
  readonly rejected: number
}

export function makeHostileEvents(count: number, seed: string): HostileEvents {
  const nextEvent = createEventSource({
    count,
    duplicates: 0,
    invalid: 0,
    clients: DEFAULT_CLIENTS,
    bodyBytes: DEFAULT_BODY_BYTES,
    random: createRandom(seed)
  })
  const batches: OutgoingMessage[][] = []
  let batch: OutgoingMessage[] = []
  let victim: GeneratedEvent | null = null
  let rejected = 0
  for (let event = nextEvent(); event !== null; event = nextEvent()) {
    if (batches.length === 0 || batch.length === BATCH_ENTRIES) {
      batch = []
      batches.push(batch)
    }
    const isLast: boolean = batch.length === BATCH_ENTRIES - 1
    if (isLast) batch.push({ body: spoil(rejected++, event, victim) })
    else batch.push({ body: event.body })
    if (!isLast && event.eventId !== null) victim = event
  }
  return { batches, stored: count - rejected, rejected }
}

/**
 * Takes the three kinds in turn; no conflict is possible before the first event with an
 * id.
 */
function spoil(
  number: number,
  { clientId, eventType }: GeneratedEvent,
  victim: GeneratedEvent | null
): string {
  const message = `hostile event ${number}: ${'h'.repeat(200)}`
  if (number % 3 === 0 && victim !== null) {
    return JSON.stringify({
      event_type: victim.eventType,
      client_id: victim.clientId,
      event_id: victim.eventId,
      message
    })
  }
  return number % 3 === 1
    ? JSON.stringify({ event_type: eventType, client_id: 'nobody-knows-this-client', message })
    : JSON.stringify({ event_type: 'nobody-knows-this-event-type', client_id: clientId, message })
}
