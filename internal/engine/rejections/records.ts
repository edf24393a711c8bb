/**
 * The port to a system's rejections for people: what was refused and why, and which of it
 * is sent again.
 *
 * Shapes  `Filter` and `Head` are the system's: what its bodies say of themselves comes
 *         on top of what every rejection has.
 * Errors  StoreError.
 */
import type { Violation } from '../message/message.js'

/** Conditions that must all hold; null = no condition. */
export interface RejectionFilter {
  /** Queue message ids. */
  readonly ids: readonly string[] | null
  readonly reason: string | null
  /** Received then or later. */
  readonly since: Date | null
  /** Only those that were not redriven yet. */
  readonly isOpen: boolean
}

/** A rejection without its body. */
export interface RejectionHead {
  readonly queueMessageId: string
  /**
   * Of a redriven message that was refused again: the queue message id under which it was
   * first accepted.
   */
  readonly origin: string | null
  readonly reason: string
  readonly violations: readonly Violation[]
  readonly receiveCount: number
  readonly sentAt: Date | null
  readonly receivedAt: Date
  readonly redrivenAt: Date | null
  /** Size of the body as it is kept. */
  readonly bodyBytes: number
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

export interface RejectionClaim<Filter> {
  readonly filter: Filter
  /**
   * The database's time at which this redrive began: what came later, such as its own
   * copies refused again, is left to the next one.
   */
  readonly startedAt: string
  /** Only behind this place; null: from the beginning. */
  readonly after: RejectionPlace | null
  readonly maxRows: number
}

export interface RejectionRecords<Filter, Head> {
  /** The newest first. */
  listRejections(filter: Filter, limit: number): Promise<readonly Head[]>
  /** By reason. */
  countRejections(filter: Filter): Promise<ReadonlyMap<string, number>>
  /** The oldest first, all in one snapshot, however many; with their bodies as sent. */
  readRejections(
    filter: Filter,
    limit: number | null
  ): AsyncIterable<Head & { readonly body: string }>
  /** The database's time. */
  now(): Promise<string>
  /**
   * Holds the oldest rejections of the claim that no other redrive holds, hands them to
   * `send`, and marks as redriven those whose ids it resolves with. Resolves with the
   * place of the last one, or null when there was none. A crash in between marks none of
   * them.
   */
  claimRejections(
    claim: RejectionClaim<Filter>,
    send: (claimed: readonly ClaimedRejection[]) => Promise<readonly string[]>
  ): Promise<RejectionPlace | null>
}
