/**
 * The port to a system's rejections for people: to read them, and to redrive them.
 *
 * Shapes  `Filter` and `Head` are the system's: they add what its bodies contain to what
 *         every rejection has.
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
  /** Only those not redriven yet. */
  readonly isOpen: boolean
}

/** A rejection without its body. */
export interface RejectionHead {
  readonly queueMessageId: string
  /**
   * The queue message id under which the message was first accepted, if it was redriven
   * and refused again.
   */
  readonly origin: string | null
  readonly reason: string
  readonly violations: readonly Violation[]
  readonly receiveCount: number
  readonly sentAt: Date | null
  readonly receivedAt: Date
  readonly redrivenAt: Date | null
  /** Size of the stored body. */
  readonly bodyBytes: number
}

/** A rejection that one redrive holds and no other. */
export interface ClaimedRejection {
  readonly queueMessageId: string
  /** The origin of its copies: its own origin, else its id. */
  readonly origin: string
  readonly body: string
}

/** The place of a rejection in the order of receipt; opaque to the caller. */
export type RejectionPlace = readonly [receivedAt: string, queueMessageId: string]

export interface RejectionClaim<Filter> {
  readonly filter: Filter
  /**
   * The database's time at which this redrive began. Later rejections, such as its own
   * copies refused again, are left to the next one.
   */
  readonly startedAt: string
  /** Only behind this place; null: from the beginning. */
  readonly after: RejectionPlace | null
  readonly maxRows: number
}

export interface RejectionRecords<Filter, Head> {
  /** Newest first. */
  listRejections(filter: Filter, limit: number): Promise<readonly Head[]>
  /** By reason. */
  countRejections(filter: Filter): Promise<ReadonlyMap<string, number>>
  /** Oldest first, all in one snapshot, however many; with their bodies as sent. */
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
