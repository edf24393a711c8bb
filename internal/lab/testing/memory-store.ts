/**
 * The store in memory: the same decisions as the PostgreSQL one, one transaction at a
 * time, gone with the process. For tests.
 *
 * Shapes  clients and event types may be added while it runs, like rows of their tables;
 *         messages and rejections are read as rows.
 * Errors  StoreError `data` for a row that PostgreSQL would refuse, `transient` once it
 *         is closed.
 */

import { type PreparedCommit, type Store, StoreError } from '../../engine/intake/store.js'
import type {
  Disposition,
  Entry,
  ReceivedMessage,
  Rejection,
  ValidEvent
} from '../../engine/message/message.js'
import { isStorable } from '../../engine/message/storable.js'
import { refuse, type StoreRefusal } from '../../systems/events/store/refusal.js'
import {
  type RejectionRow,
  toRejectionRow,
  toStorableText
} from '../../systems/events/store/rejection-row.js'

export interface MemoryStoreOptions {
  readonly clients: Iterable<string>
  readonly eventTypes: Iterable<string>
}

export interface MemoryStore extends Store {
  readonly clients: Set<string>
  readonly eventTypes: Set<string>
  readonly disabledClients: Set<string>
  readonly disabledEventTypes: Set<string>
  /** Rows of `message` in the order of their commits. */
  readonly messages: readonly ValidEvent[]
  /** Rows of `rejection` in the order of their commits. */
  readonly rejections: readonly RejectionRow[]
}

const MAX_ID_BYTES = 255

export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  const clients = new Set(options.clients)
  const eventTypes = new Set(options.eventTypes)
  const disabledClients = new Set<string>()
  const disabledEventTypes = new Set<string>()
  const messages: ValidEvent[] = []
  const rejections: RejectionRow[] = []
  const messageByKey = new Map<string, ValidEvent>()
  const rejectedIds = new Set<string>()
  const committed = new Set<string>()
  let transactions = 0
  let isClosed = false
  let previous: Promise<unknown> = Promise.resolve()

  function decide(
    event: ValidEvent,
    message: ReceivedMessage,
    earlier: ReadonlyMap<string, ValidEvent>
  ): 'stored' | 'duplicate' | StoreRefusal {
    if (rejectedIds.has(toStorableText(message.id))) return 'duplicate'
    if (!clients.has(event.clientId)) return 'unknown-client'
    if (disabledClients.has(event.clientId)) return 'disabled-client'
    if (!eventTypes.has(event.eventType)) return 'unknown-event-type'
    if (disabledEventTypes.has(event.eventType)) return 'disabled-event-type'
    const stored = messageByKey.get(keyOf(event)) ?? earlier.get(keyOf(event))
    if (stored === undefined) return 'stored'
    return isSame(stored, event) ? 'duplicate' : 'conflict'
  }

  async function write(
    batch: readonly Entry[],
    onPrepared: (prepared: PreparedCommit) => Promise<void>
  ): Promise<readonly Disposition[]> {
    if (isClosed) throw closed()
    assertStorable(batch)
    const newMessages = new Map<string, ValidEvent>()
    const newRejections = new Map<string, RejectionRow>()
    const dispositions = new Array<Disposition>(batch.length).fill('duplicate')
    const refused: (readonly [index: number, message: ReceivedMessage, rejection: Rejection])[] = []
    for (const [index, { message, verdict }] of batch.entries()) {
      if (verdict.kind === 'rejected') {
        refused.push([index, message, verdict.rejection])
        continue
      }
      const decision = decide(verdict.event, message, newMessages)
      if (decision === 'stored') {
        newMessages.set(keyOf(verdict.event), verdict.event)
        dispositions[index] = 'stored'
      } else if (decision !== 'duplicate')
        refused.push([index, message, refuse(decision, verdict.event, message)])
    }
    for (const [index, message, rejection] of refused) {
      const row = toRejectionRow(message, rejection)
      const id = row.queueMessageId
      const key = keyOf(rejection)
      const stored = newMessages.get(key) ?? messageByKey.get(key)
      if (rejectedIds.has(id) || newRejections.has(id) || (stored && isSame(stored, rejection)))
        continue
      newRejections.set(id, row)
      dispositions[index] = rejection.reason
    }
    const tx = String(++transactions)
    await onPrepared({ tx, dispositions })
    for (const [key, event] of newMessages) messageByKey.set(key, event)
    messages.push(...newMessages.values())
    for (const id of newRejections.keys()) rejectedIds.add(id)
    rejections.push(...newRejections.values())
    committed.add(tx)
    return dispositions
  }

  return {
    clients,
    disabledClients,
    disabledEventTypes,
    eventTypes,
    messages,
    rejections,
    insert(batch, onPrepared) {
      const result = previous.then(() => write(batch, onPrepared))
      previous = result.catch(() => undefined)
      return result
    },
    wasCommitted: tx => Promise.resolve(committed.has(tx)),
    probe: () => (isClosed ? Promise.reject(closed()) : Promise.resolve()),
    async close() {
      isClosed = true
      await previous
    }
  }
}

function closed(): StoreError {
  return new StoreError('transient', 'closed', 'the store is closed')
}

type EventParts = { readonly [Part in Exclude<keyof ValidEvent, 'schemaId'>]: string | null }

function keyOf({ clientId, messageId }: EventParts): string {
  return JSON.stringify([clientId, messageId])
}

function isSame(stored: ValidEvent, other: EventParts): boolean {
  return stored.eventType === other.eventType && stored.payload === other.payload
}

/** What PostgreSQL refuses a batch for, as far as a valid event can hold it. */
function assertStorable(batch: readonly Entry[]): void {
  for (const { verdict } of batch) {
    if (verdict.kind === 'rejected') continue
    const { event } = verdict
    if (![event.clientId, event.eventType, event.messageId, event.payload].every(isStorable))
      throw new StoreError('data', '22021', 'a text cannot be stored')
    if (event.messageId === '' || Buffer.byteLength(event.messageId) > MAX_ID_BYTES) {
      throw new StoreError('data', '23514', 'message_id has no size that fits')
    }
    if (!isJson(event.payload)) throw new StoreError('data', '22P02', 'the payload is not JSON')
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
