/**
 * The rows of the simulated database, and what a batch adds to them: the decisions that
 * the SQL of internal/systems/events/store takes.
 *
 * Shapes  `decide` looks at the committed rows only; `apply` is the COMMIT.
 */
import type {
  Disposition,
  Entry,
  ReceivedMessage,
  Rejection,
  ValidEvent
} from '../../engine/message/message.js'
import { refuse } from '../../systems/events/store/refusal.js'
import { CLIENTS, EVENT_TYPES } from './load.js'

export interface RefusedRow {
  readonly message: ReceivedMessage
  readonly rejection: Rejection
}

/** What a transaction writes if it commits. */
export interface Change {
  readonly messages: ReadonlyMap<string, ValidEvent>
  readonly rejections: ReadonlyMap<string, RefusedRow>
  readonly dispositions: readonly Disposition[]
}

export type KeyOf = (event: Pick<ValidEvent, 'clientId' | 'messageId'>) => string

const clients = new Set<string>(CLIENTS)
const eventTypes = new Set<string>(EVENT_TYPES)

export class Tables {
  /** By client and message id. */
  readonly messages = new Map<string, ValidEvent>()
  /** By the queue's MessageId. */
  readonly rejections = new Map<string, RefusedRow>()
  readonly keyOf: KeyOf

  constructor(keyOf: KeyOf = ({ clientId, messageId }) => `${clientId}\u0000${messageId}`) {
    this.keyOf = keyOf
  }

  /** Whether this very event is stored. */
  holds(event: ValidEvent): boolean {
    const stored = this.messages.get(this.keyOf(event))
    return stored !== undefined && stored.clientId === event.clientId && isSame(stored, event)
  }

  decide(batch: readonly Entry[]): Change {
    const messages = new Map<string, ValidEvent>()
    const rejections = new Map<string, RefusedRow>()
    const dispositions = new Array<Disposition>(batch.length).fill('duplicate')
    const refused: (RefusedRow & { readonly index: number })[] = []
    for (let index = 0; index < batch.length; index++) {
      const { message, verdict } = batch[index] as Entry
      if (verdict.kind === 'rejected') {
        refused.push({ index, message, rejection: verdict.rejection })
        continue
      }
      const { event } = verdict
      if (this.rejections.has(message.id)) continue
      const key = this.keyOf(event)
      const stored = this.messages.get(key) ?? messages.get(key)
      if (!clients.has(event.clientId))
        refused.push({ index, message, rejection: refuse('unknown-client', event, message) })
      else if (!eventTypes.has(event.eventType))
        refused.push({ index, message, rejection: refuse('unknown-event-type', event, message) })
      else if (stored === undefined) {
        messages.set(key, event)
        dispositions[index] = 'stored'
      } else if (!isSame(stored, event))
        refused.push({ index, message, rejection: refuse('conflict', event, message) })
    }
    for (const { index, message, rejection } of refused) {
      if (this.rejections.has(message.id) || rejections.has(message.id)) continue
      const { clientId, messageId } = rejection
      const key = clientId === null || messageId === null ? '' : this.keyOf({ clientId, messageId })
      const stored = messages.get(key) ?? this.messages.get(key)
      if (stored !== undefined && isSame(stored, rejection)) continue
      rejections.set(message.id, { message, rejection })
      dispositions[index] = rejection.reason
    }
    return { messages, rejections, dispositions }
  }

  /** Adds the rows; a key that is there already, or null. */
  apply({ messages, rejections }: Change): string | null {
    for (const [key, event] of messages) {
      if (this.messages.has(key)) return key
      this.messages.set(key, event)
    }
    for (const [id, row] of rejections) {
      if (this.rejections.has(id)) return id
      this.rejections.set(id, row)
    }
    return null
  }
}

type Parts = { readonly [Part in 'eventType' | 'payload']: string | null }

function isSame(stored: ValidEvent, other: Parts): boolean {
  return stored.eventType === other.eventType && stored.payload === other.payload
}
