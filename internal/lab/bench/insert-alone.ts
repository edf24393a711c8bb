/**
 * The database's limit: our own store in a loop on ready-made batches, as large as those
 * of ours under load.
 */

import { createRandom } from '../../engine/cli/random.js'
import { readProcessorConfig } from '../../systems/events/config/config.js'
import type { EventEntry } from '../../systems/events/event/event.js'
import {
  createEventSource,
  DEFAULT_BODY_BYTES,
  DEFAULT_CLIENTS
} from '../../systems/events/producer/events.js'
import { createEventStore } from '../../systems/events/store/postgres.js'
import type { BaselineSpec } from './protocol.js'
import { INSERT_BATCH } from './scenarios.js'

/** Makes the batches; the returned function writes them and reports each. */
export function prepareInsertAlone({
  dbConnection,
  events
}: BaselineSpec): (onStored: (events: number) => void) => Promise<void> {
  const batches = makeBatches(events)
  // The limits of our own configuration, at their defaults.
  const { db } = readProcessorConfig({})
  const store = createEventStore({ connectionString: dbConnection, ...db })
  return async onStored => {
    for (const batch of batches) {
      const { dispositions, commit } = await store.prepare(batch)
      await commit()
      const wrong = dispositions.find(disposition => disposition !== 'stored')
      if (wrong !== undefined) throw new Error(`a new event was not stored but ${wrong}`)
      onStored(batch.length)
    }
    // The store stays open: a backend that ends while the bench reads CPU times is
    // counted neither for itself nor as its parent's ended child.
  }
}

function makeBatches(events: number): readonly (readonly EventEntry[])[] {
  const random = createRandom()
  const next = createEventSource({
    count: events,
    duplicates: 0,
    invalid: 0,
    clients: DEFAULT_CLIENTS,
    bodyBytes: DEFAULT_BODY_BYTES,
    random
  })
  const batches: EventEntry[][] = []
  let batch: EventEntry[] = []
  for (let event = next(); event !== null; event = next()) {
    if (batch.length === INSERT_BATCH || batches.length === 0) {
      batch = []
      batches.push(batch)
    }
    const id = random.uuid()
    const { clientId, eventType, eventId, payload, body, bytes } = event
    batch.push({
      message: { id, token: id, body, bytes, receiveCount: 1, sentAtMs: 0 },
      verdict: {
        kind: 'valid',
        item: {
          clientId,
          eventType: eventType ?? '',
          messageId: eventId ?? id,
          payload: payload ?? '',
          schemaId: null
        }
      }
    })
  }
  return batches
}
