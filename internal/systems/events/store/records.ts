/**
 * The port to the tables for people: what was refused and why, which of it is sent again,
 * and what is known of one event.
 *
 * Shapes  rows with every text decoded; `body` is the body as it was sent.
 * Errors  StoreError.
 * Source  internal/docs/architecture.md, "Tables".
 */
import type {
  RejectionFilter,
  RejectionHead,
  RejectionRecords
} from '../../../engine/rejections/records.js'
import type { RejectionReason } from '../event/event.js'

export interface EventRejectionFilter extends RejectionFilter {
  readonly clientId: string | null
  readonly eventType: string | null
}

export const ALL_REJECTIONS: EventRejectionFilter = {
  ids: null,
  clientId: null,
  eventType: null,
  reason: null,
  since: null,
  isOpen: false
}

/** Client, event type and id are as sent, true or not. */
export interface EventRejectionHead extends RejectionHead {
  readonly clientId: string | null
  readonly eventType: string | null
  readonly messageId: string | null
  readonly reason: RejectionReason
}

export interface EventRejectionRecord extends EventRejectionHead {
  readonly body: string
}

/** A row of `message`. */
export interface StoredEvent {
  readonly clientId: string
  readonly eventType: string
  readonly messageId: string
  readonly receivedAt: Date
  /** The transaction that stored it. */
  readonly tx: string
  readonly payloadBytes: number
}

export interface StoredFilter {
  readonly eventType: string
  /** Null: of every client. */
  readonly clientId: string | null
  /** Received then or later. */
  readonly since: Date
}

/** A row of `message` with its payload. */
export interface StoredPayload {
  readonly clientId: string
  readonly eventType: string
  readonly messageId: string
  readonly receivedAt: Date
  /** JSON text, as it was sent. */
  readonly payload: string
}

export interface Records extends RejectionRecords<EventRejectionFilter, EventRejectionHead> {
  /** In the order in which they are found, all in one snapshot, however many. */
  readStored(filter: StoredFilter): AsyncIterable<StoredPayload>

  /** Marks the rejections of these queue messages, where there are any. */
  markRedriven(queueMessageIds: readonly string[]): Promise<void>

  /** Events that are stored under this id: of one client, or of every client (null). */
  findStored(clientId: string | null, messageId: string): Promise<readonly StoredEvent[]>
  /**
   * Rejections of this queue message and of its redriven copies, the newest first; with a
   * client also those of its bodies that name the event by this id.
   */
  findRejections(id: string, clientId: string | null): Promise<readonly EventRejectionHead[]>
}
