/**
 * The port to the tables for people: rejections and their reasons, redrives, and what is
 * known of one event.
 *
 * Shapes  rows with decoded texts; `body` is the body as it was sent.
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

/** Client, event type and id are as sent, right or wrong. */
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
  /** Null: every client. */
  readonly clientId: string | null
  /** Events received at this time or later. */
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
  /** In no particular order, in one snapshot, however many there are. */
  readStored(filter: StoredFilter): AsyncIterable<StoredPayload>

  /** Marks the rejections of these queue messages, if there are any. */
  markRedriven(queueMessageIds: readonly string[]): Promise<void>

  /** Events stored under this id, of one client or of every client (null). */
  findStored(clientId: string | null, messageId: string): Promise<readonly StoredEvent[]>
  /**
   * Rejections of this queue message and of its redriven copies, newest first. With a
   * client, also those of its events with this id.
   */
  findRejections(id: string, clientId: string | null): Promise<readonly EventRejectionHead[]>
}
