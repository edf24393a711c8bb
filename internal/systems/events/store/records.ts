/**
 * The port to the tables for people: what was refused and why, which of it is sent again,
 * and what is known of one event.
 *
 * Shapes  rows with every text decoded; `body` is the body as it was sent.
 * Errors  StoreError.
 * Source  internal/docs/architecture.md, "Tables".
 */
import type { Violation } from '../../../engine/message/message.js'
import type { RejectionReason } from '../event/event.js'

/**
 * Conditions that must all hold; null = no condition. See ALL_REJECTIONS for none at all.
 */
export interface RejectionFilter {
  /** Queue message ids. */
  readonly ids: readonly string[] | null
  readonly clientId: string | null
  readonly eventType: string | null
  readonly reason: RejectionReason | null
  /** Received then or later. */
  readonly since: Date | null
  /** Only those that were not redriven yet. */
  readonly isOpen: boolean
}

export const ALL_REJECTIONS: RejectionFilter = {
  ids: null,
  clientId: null,
  eventType: null,
  reason: null,
  since: null,
  isOpen: false
}

/** A rejection without its body. Client, event type and id are as sent, true or not. */
export interface RejectionHead {
  readonly queueMessageId: string
  /**
   * Of a redriven message that was refused again: the queue message id under which its
   * event was first accepted.
   */
  readonly origin: string | null
  readonly clientId: string | null
  readonly eventType: string | null
  readonly messageId: string | null
  readonly reason: RejectionReason
  readonly violations: readonly Violation[]
  readonly receiveCount: number
  readonly sentAt: Date | null
  readonly receivedAt: Date
  readonly redrivenAt: Date | null
  /** Size of the body as it is kept. */
  readonly bodyBytes: number
}

export interface RejectionRecord extends RejectionHead {
  readonly body: string
}

/** A rejection that is held by one redrive and by no other. */
export interface ClaimedRejection {
  readonly queueMessageId: string
  /** Where a copy of it comes from: its own origin, else itself. */
  readonly origin: string
  readonly body: string
}

/** The place of a rejection in the order of receipt; opaque to the caller. */
export type RejectionPlace = readonly [receivedAt: string, queueMessageId: string]

export interface Claim {
  readonly filter: RejectionFilter
  /**
   * The database's time at which this redrive began: what came later, such as its own
   * copies refused again, is left to the next one.
   */
  readonly startedAt: string
  /** Only behind this place; null: from the beginning. */
  readonly after: RejectionPlace | null
  readonly maxRows: number
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

export interface Records {
  /** The newest first. */
  listRejections(filter: RejectionFilter, limit: number): Promise<readonly RejectionHead[]>
  countRejections(filter: RejectionFilter): Promise<ReadonlyMap<RejectionReason, number>>
  /** The oldest first, all in one snapshot, however many. */
  readRejections(filter: RejectionFilter, limit: number | null): AsyncIterable<RejectionRecord>

  /** In the order in which they are found, all in one snapshot, however many. */
  readStored(filter: StoredFilter): AsyncIterable<StoredPayload>

  /** The database's time. */
  now(): Promise<string>
  /**
   * Holds the oldest rejections of the claim that no other redrive holds, hands them to
   * `send`, and marks as redriven those whose ids it resolves with. Resolves with the
   * place of the last one, or null when there was none. A crash in between marks none of
   * them.
   */
  claimRejections(
    claim: Claim,
    send: (claimed: readonly ClaimedRejection[]) => Promise<readonly string[]>
  ): Promise<RejectionPlace | null>
  /** Marks the rejections of these queue messages, where there are any. */
  markRedriven(queueMessageIds: readonly string[]): Promise<void>

  /** Events that are stored under this id: of one client, or of every client (null). */
  findStored(clientId: string | null, messageId: string): Promise<readonly StoredEvent[]>
  /**
   * Rejections of this queue message and of its redriven copies, the newest first; with a
   * client also those of its bodies that name the event by this id.
   */
  findRejections(id: string, clientId: string | null): Promise<readonly RejectionHead[]>
}
