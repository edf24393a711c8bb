/** The store of events in memory, with the parents that it knows. For tests. */
import type { ReceivedMessage } from '../../engine/message/message.js'
import { isStorable } from '../../engine/message/storable.js'
import type { EventRejection, ValidEvent } from '../../systems/events/event/event.js'
import { refuse, type StoreRefusal } from '../../systems/events/store/refusal.js'
import type { ItemRules } from './kept-rows.js'
import { createMemoryStore, type MemoryStore } from './memory-store.js'

/**
 * Names that may be added and disabled while the store runs, like rows of their tables.
 */
export interface EventParents {
  readonly clients: Set<string>
  readonly eventTypes: Set<string>
  readonly disabledClients: Set<string>
  readonly disabledEventTypes: Set<string>
}

export interface MemoryEventStore extends MemoryStore<ValidEvent, EventRejection> {
  readonly parents: EventParents
}

const MAX_ID_BYTES = 255

export function createMemoryEventStore(options: {
  readonly clients: Iterable<string>
  readonly eventTypes: Iterable<string>
}): MemoryEventStore {
  const parents = {
    clients: new Set(options.clients),
    eventTypes: new Set(options.eventTypes),
    disabledClients: new Set<string>(),
    disabledEventTypes: new Set<string>()
  }
  return { ...createMemoryStore({ rules: eventRules(parents), faultOf }), parents }
}

/** What PostgreSQL decides about events; the simulation uses the same rules. */
export function eventRules(parents: EventParents): ItemRules<ValidEvent, EventRejection> {
  const { clients, disabledClients, disabledEventTypes, eventTypes } = parents
  function whyRefused({ clientId, eventType }: ValidEvent): StoreRefusal | null {
    if (!clients.has(clientId)) return 'unknown-client'
    if (disabledClients.has(clientId)) return 'disabled-client'
    if (!eventTypes.has(eventType)) return 'unknown-event-type'
    return disabledEventTypes.has(eventType) ? 'disabled-event-type' : null
  }
  return {
    keyOf: ({ clientId, messageId }) => ({ owner: clientId, id: messageId }),
    contentOf: ({ eventType, payload }) => `${eventType}\u0000${payload}`,
    conflictOf: (event, message) => refuse('conflict', event, message),
    refusalOf(event: ValidEvent, message: ReceivedMessage) {
      const why = whyRefused(event)
      return why === null ? null : refuse(why, event, message)
    },
    itemOf({ clientId, eventType, messageId, payload }) {
      if (clientId === null || eventType === null || messageId === null || payload === null)
        return null
      return { clientId, eventType, messageId, payload, schemaId: null }
    }
  }
}

/** Why PostgreSQL would refuse the row of a valid event, or null. */
function faultOf({ clientId, eventType, messageId, payload }: ValidEvent): string | null {
  if (![clientId, eventType, messageId, payload].every(isStorable)) return '22021'
  if (messageId === '' || Buffer.byteLength(messageId) > MAX_ID_BYTES) return '23514'
  return isJson(payload) ? null : '22P02'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
