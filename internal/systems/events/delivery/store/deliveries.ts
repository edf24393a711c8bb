/**
 * The port to deliveries: the sender makes them from stored events, attempts those that
 * are due and settles them.
 *
 * A delivery is the duty to send one message to one endpoint. It is `pending` until an
 * attempt succeeds (`delivered`) or nothing more is tried (`dead`). Each endpoint is a
 * lane of the dispatcher.
 *
 * Units   milliseconds; the database's clock decides what is due.
 * Errors  StoreError.
 */

import type { DueDuty, DutyOutcome, LaneChange } from '../../../../engine/dispatch/dispatch.js'
import type { PostResult } from '../../../../engine/egress/result.js'
import type { Sealed } from '../sealed.js'

/** An enabled endpoint; its secrets and headers are still sealed. */
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
  /** Newest first; more than one while a secret is being replaced. */
  readonly sealedSecrets: readonly Sealed[]
  readonly sealedHeaders: Sealed | null
  /**
   * Time since the first failure after the last success; null: the endpoint is not
   * failing.
   */
  readonly failingForMs: number | null
  /** How often its circuit has opened in that time. */
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
  /** Events read; if this equals the number asked for, there may be more. */
  readonly events: number
  readonly deliveries: number
}

/** What is owed at the moment. */
export interface OwedTotals {
  readonly pending: number
  readonly dead: number
  /** 0 when nothing is due. */
  readonly oldestDueS: number
  /** 0 when the fan-out has read everything. */
  readonly lagS: number
  readonly endpoints: Readonly<Record<EndpointState, number>>
}

export const ENDPOINT_STATES = ['enabled', 'disabled-by-operator', 'disabled-by-failure'] as const
export type EndpointState = (typeof ENDPOINT_STATES)[number]

export interface Deliveries {
  /**
   * Makes the deliveries of the next events in commit order, and wakes the lanes of their
   * endpoints, all in the transaction that moves the cursor. Null when another process is
   * doing so.
   */
  fanOut(maxEvents: number): Promise<FanOut | null>
  /**
   * Wakes the lane of each endpoint that has something due, even if it was woken before.
   * Returns the number of these endpoints.
   */
  wakeDue(): Promise<number>
  /** Makes some pending deliveries of disabled endpoints dead. Returns how many. */
  endDisabled(maxDeliveries: number): Promise<number>
  /** Null when the endpoint is disabled or paused. */
  endpoint(id: number): Promise<SealedEndpoint | null>
  /**
   * An endpoint's due deliveries, longest due first, without those being attempted
   * already.
   */
  due(
    endpointId: number,
    limit: number,
    exceptIds: readonly string[]
  ): Promise<readonly DueDelivery[]>
  /**
   * Records attempts and moves their deliveries on. Recording an attempt again changes
   * nothing.
   */
  settle(outcomes: readonly DutyOutcome<PostResult>[]): Promise<void>
  change(endpointId: number, change: LaneChange): Promise<void>
  /** Counts everything pending or dead, so it takes as long as there are rows. */
  owed(): Promise<OwedTotals>
}
