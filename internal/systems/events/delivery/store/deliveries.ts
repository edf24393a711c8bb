/**
 * The port to what is owed to endpoints: made from stored events, due, attempted, done.
 *
 * A delivery is the duty to send one message to one endpoint. It is `pending` until an
 * attempt succeeds (`delivered`) or nothing more is tried (`dead`). Each endpoint is a
 * lane of the dispatcher; here is what it finds and what it leaves.
 *
 * Units   milliseconds; the database's clock decides what is due.
 * Errors  StoreError.
 */

import type { DueDuty, DutyOutcome, LaneChange } from '../../../../engine/dispatch/dispatch.js'
import type { PostResult } from '../../../../engine/egress/result.js'
import type { Sealed } from '../sealed.js'

/** An enabled endpoint, with what is secret still sealed. */
export interface SealedEndpoint {
  readonly id: number
  readonly client: string
  readonly url: string
  /** One delivery at a time, in the order in which the events were committed. */
  readonly isOrdered: boolean
  readonly maxConcurrency: number
  /** Attempts per second; null: no limit. */
  readonly maxPerSecond: number | null
  readonly timeoutMs: number
  /** The newest first; more than one while a secret is being replaced. */
  readonly sealedSecrets: readonly Sealed[]
  readonly sealedHeaders: Sealed | null
  /** Since when no attempt has succeeded; null: the last one did, or there was none. */
  readonly failingForMs: number | null
  /** How often its circuit has opened since then. */
  readonly circuitOpened: number
}

/** A redriven delivery begins its schedule anew. */
export interface DueDelivery extends DueDuty {
  readonly messageId: string
  readonly eventType: string
  /** The payload's text as it was sent. */
  readonly payload: string
  /** When the event was stored, since 1970. */
  readonly receivedAtMs: number
}

export interface FanOut {
  /** Events read: as many as were asked for when there may be more. */
  readonly events: number
  readonly deliveries: number
}

/** What is owed at the moment. */
export interface OwedTotals {
  readonly pending: number
  readonly dead: number
  /** 0 when nothing is due. */
  readonly oldestDueS: number
  /** 0 when the fan-out has read all. */
  readonly lagS: number
  readonly endpoints: Readonly<Record<EndpointState, number>>
}

export const ENDPOINT_STATES = ['enabled', 'disabled-by-operator', 'disabled-by-failure'] as const
export type EndpointState = (typeof ENDPOINT_STATES)[number]

export interface Deliveries {
  /**
   * Makes the deliveries of the next events in commit order, and wakes the lanes of their
   * endpoints, all in the transaction that moves the cursor. Null when another process is
   * at it.
   */
  fanOut(maxEvents: number): Promise<FanOut | null>
  /**
   * Wakes the lane of each endpoint that has something due, whether or not it was woken
   * before. The number of such endpoints.
   */
  wakeDue(): Promise<number>
  /**
   * Ends some of what disabled endpoints were still owed. The number of deliveries that
   * are dead by it.
   */
  endDisabled(maxDeliveries: number): Promise<number>
  /** Null when it is not enabled, or paused. */
  endpoint(id: number): Promise<SealedEndpoint | null>
  /**
   * What is due for an endpoint, the longest due first, but for those that are at work
   * already.
   */
  due(
    endpointId: number,
    limit: number,
    exceptIds: readonly string[]
  ): Promise<readonly DueDelivery[]>
  /**
   * Records attempts and moves their deliveries on. An attempt that was recorded before
   * changes nothing.
   */
  settle(outcomes: readonly DutyOutcome<PostResult>[]): Promise<void>
  change(endpointId: number, change: LaneChange): Promise<void>
  /** Counts, and so reads, all that is pending or dead. */
  owed(): Promise<OwedTotals>
}
